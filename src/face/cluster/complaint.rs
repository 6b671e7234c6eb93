//! Why one of Pacemaker's tools failed, from its own output, which differs between Pacemaker 1.1, 2.1 and 3.0.

use super::xml::XmlElement;
use crate::base::text::brief;

/// Longest quotation in a message, in bytes.
const QUOTED: usize = 200;

/// Reduces the output of a failed tool to one line: the message of its XML, or standard error, or standard output.
///
/// After an unknown option, the `getopt` programs (all of 1.1, `cibadmin` up to 2.1) print their usage, which is left out.
pub fn complaint(program: &str, stdout: &str, stderr: &str) -> String {
    let (usage, own) = (format!("{program} - "), format!("{program}: "));
    let plain = |text: &str| {
        let lines = text.lines().take_while(|line| !line.starts_with(&usage)).map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('<'));
        lines.map(|line| line.strip_prefix(&own).unwrap_or(line)).collect::<Vec<_>>().join("; ")
    };
    // The end of the output with `--output-as=xml`.
    let document = XmlElement::parse(stdout).unwrap_or_default();
    let message = document.below("status").next().map(|status| status.attribute("message").to_owned());
    let texts = message.into_iter().chain([stderr, stdout].map(plain));
    let text = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    if text.is_empty() { "no message".to_owned() } else { brief(&text, QUOTED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `crm_mon --output-as=xml` of 1.1.24, shortened: the complaint, then the whole usage.
    const MON_1_1: &str = "crm_mon: unrecognized option '--output-as=xml'
crm_mon - Provides a summary of cluster's current state.

Outputs varying levels of detail in a number of different formats.

Usage: crm_mon mode [options]
Options:
 -?, --help \tThis text
 -X, --as-xml \t\tWrite cluster status as xml to stdout. This will enable one-shot mode.

Examples:
 Display the cluster status on the console with updates as they occur:

\t# crm_mon


Report bugs to users@clusterlabs.org
";
    /// `crm_mon --output-as=xml` of 2.1.5 and 3.0.3 without a cluster.
    const NOT_CONNECTED: &str = r#"<pacemaker-result api-version="2.42" request="crm_mon --one-shot --inactive --output-as=xml">
  <status code="102" message="Not connected">
    <errors>
      <error>crm_mon: Connection to cluster failed: Connection refused</error>
    </errors>
  </status>
</pacemaker-result>
"#;

    #[test]
    fn a_complaint_is_quoted_without_usage_markup_and_the_name_of_the_tool() {
        // Tool, its version, standard output, standard error, and what is quoted.
        let rows = [
            ("crm_mon", "1.1.24", "", MON_1_1, "unrecognized option '--output-as=xml'"),
            (
                "crm_mon",
                "2.1.5 and 3.0.3",
                "",
                "crm_mon: Unknown option --output-as=xml\n",
                "Unknown option --output-as=xml",
            ),
            (
                "crm_mon",
                "1.1.24",
                "\nError: cluster is not available on this node\n",
                "",
                "Error: cluster is not available on this node",
            ),
            (
                "crm_mon",
                "2.1.5",
                NOT_CONNECTED,
                "error: Could not connect to launcher: Connection refused\ncrm_mon: Connection to cluster failed: Connection refused\n",
                "Not connected",
            ),
            (
                "crm_mon",
                "3.0.3, --as-xml",
                "<crm_mon version=\"3.0.3\"/>\n",
                "Not connected\ncrm_mon: Connection to cluster failed: Connection refused\n",
                "Not connected; Connection to cluster failed: Connection refused",
            ),
            (
                "crm_resource",
                "1.1.24",
                "",
                "Pending actions:\n\tAction 5: eip_monitor_10000\ton n2\nError performing operation: Timer expired\n",
                r"Pending actions:; Action 5: eip_monitor_10000\ton n2; Error performing operation: Timer expired",
            ),
            ("cibadmin", "any, killed", "", "", "no message"),
        ];
        for (program, version, stdout, stderr, expected) in rows {
            assert_eq!(complaint(program, stdout, stderr), expected, "{program} {version}");
        }
    }
}

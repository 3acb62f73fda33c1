# A document of `roadblock test`, `roadblock.test/1`, as Markdown for a job summary.
def mark: {"as-expected": "✅", "flaky": "⚠️", "not-played": "⏸️", "interrupted": "⏸️"}[.] // "❌";
def cell: tostring | gsub("\\|"; "\\|") | gsub("\n"; " ");
def met: "\(map(select(.as_expected)) | length) of \(length)";

"## roadblock: \(.conclusion)\(if .partition then ", part \(.partition)" else "" end)",
"",
"| | scenario | phase | expectations |",
"|---|---|---|---|",
(.units[] | "| \(.conclusion | mark) | \(.scenario | cell) | \(.phase | cell) | \(.expectations | met) |"),
"",
# What did not go as expected: what was to be seen, what was, and which rule did it.
(.units[] | select(.conclusion != "as-expected" and .conclusion != "not-played") |
    "### \(.scenario) \(.phase): \(.conclusion)",
    "",
    (.problems[] | "- \(.place): \(.what)"),
    (.control_missed[] | "- control did not reach \(.)"),
    (.expectations[] | select(.as_expected | not) | . as $of | .steps[] | select(.differs != []) |
        "- `\($of.id)` from \($of.vantage): \(.verdict) expected, \(.seen.verdict) seen" +
        (if .seen.failure then " (\(.seen.failure))" else "" end) +
        (if .seen.by then ", by \(.seen.by)\(if .seen.facts != [] then " (\(.seen.facts | join(", ")))" else "" end)" else "" end)),
    ""),
"\([.units[].expectations[]] | met) expectations as expected, seed \(.seed), roadblock \(.version)"

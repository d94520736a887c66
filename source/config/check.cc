#include "config/check.h"

#include <algorithm>
#include <fstream>
#include <tuple>

#include "base/strings.h"
#include "config/document.h"
#include "config/risks.h"

namespace sluice::config {
namespace {

using Level = CheckFinding::Level;

std::string_view rule_of(ConfigNote::Kind kind) {
  switch (kind) {
    case ConfigNote::Kind::DuplicateKey: return "duplicate-key";
    case ConfigNote::Kind::DeprecatedField: return "deprecated-field";
    case ConfigNote::Kind::UnknownField: return "unknown-field";
  }
  return "note";
}

std::string_view word(Level level) {
  switch (level) {
    case Level::kError: return "error";
    case Level::kWarning: return "warning";
    case Level::kNote: return "note";
  }
  return "note";
}

std::string print_text(const std::vector<CheckFinding>& findings) {
  std::string out;
  for (const CheckFinding& finding : findings) {
    ConfigError line = finding.what;
    line.text = cat(word(finding.level), ": ", finding.what.text,
                    finding.level == Level::kError ? std::string() : cat(" [", finding.rule, "]"));
    append(out, line.to_string(), "\n");
  }
  return out;
}

std::string print_json(const std::vector<CheckFinding>& findings) {
  std::string out = "{\"findings\":[";
  for (size_t i = 0; i < findings.size(); ++i) {
    const CheckFinding& finding = findings[i];
    append(out, i == 0 ? "\n" : ",\n", "{\"level\":\"", word(finding.level), "\",\"rule\":", json_quote(finding.rule),
           ",\"file\":", json_quote(finding.what.file), ",\"line\":", finding.what.at.line,
           ",\"column\":", finding.what.at.column, ",\"field\":", json_quote(finding.what.field),
           ",\"text\":", json_quote(finding.what.text), "}");
  }
  out += "]}\n";
  return out;
}

// https://docs.oasis-open.org/sarif/sarif/v2.1.0/
std::string print_sarif(const std::vector<CheckFinding>& findings) {
  std::string out =
      "{\"version\":\"2.1.0\",\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
      "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"sluice check\"}},\"results\":[";
  for (size_t i = 0; i < findings.size(); ++i) {
    const CheckFinding& finding = findings[i];
    const std::string field = finding.what.field.empty() ? std::string() : cat(finding.what.field, ": ");
    append(out, i == 0 ? "\n" : ",\n", "{\"ruleId\":", json_quote(finding.rule), ",\"level\":\"", word(finding.level),
           "\",\"message\":{\"text\":", json_quote(cat(field, finding.what.text)),
           "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":", json_quote(finding.what.file), "}");
    if (finding.what.at.known()) {
      append(out, ",\"region\":{\"startLine\":", finding.what.at.line, ",\"startColumn\":", finding.what.at.column, "}");
    }
    out += "}}]}";
  }
  out += "]}]}\n";
  return out;
}

}  // namespace

std::vector<CheckFinding> check(const CompileOutcome& outcome) {
  std::vector<CheckFinding> out;
  for (const ConfigError& error : outcome.findings.errors()) out.push_back({Level::kError, "error", error});
  for (const ConfigNote& note : outcome.findings.notes()) {
    out.push_back({Level::kNote, std::string(rule_of(note.kind)), note.what});
  }
  if (outcome.bootstrap) {
    for (Risk& risk : find_risks(*outcome.document)) {
      out.push_back({Level::kWarning, std::move(risk.rule), std::move(risk.what)});
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const CheckFinding& a, const CheckFinding& b) {
    return std::make_tuple(a.level != Level::kError, a.what.at.file, a.what.at.line, a.what.at.column) <
           std::make_tuple(b.level != Level::kError, b.what.at.file, b.what.at.line, b.what.at.column);
  });
  return out;
}

std::string print_report(const std::vector<CheckFinding>& findings, ReportFormat format) {
  switch (format) {
    case ReportFormat::kJson: return print_json(findings);
    case ReportFormat::kSarif: return print_sarif(findings);
    case ReportFormat::kText: break;
  }
  return print_text(findings);
}

const std::vector<std::string>& Excerpts::lines(const std::string& file) {
  const auto [at, fresh] = files_.try_emplace(file);
  if (fresh) {
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);) at->second.push_back(std::move(line));
  }
  return at->second;
}

std::string Excerpts::of(const ConfigError& error) {
  constexpr size_t kWidest = 160;  // a JSON file may be one line
  if (!error.at.known()) return {};
  const std::vector<std::string>& all = lines(error.file);
  if (error.at.line > all.size()) return {};
  std::string line = all[error.at.line - 1];
  size_t column = error.at.column == 0 ? 0 : error.at.column - 1;
  if (column > kWidest / 2) {
    const size_t cut = std::min(column - kWidest / 2, line.size());
    line.erase(0, cut);
    column -= cut;
  }
  line.resize(std::min(line.size(), kWidest));
  std::string below;
  for (size_t i = 0; i < std::min(column, line.size()); ++i) below += line[i] == '\t' ? '\t' : ' ';
  return cat("    ", line, "\n    ", below, "^\n");
}

}  // namespace sluice::config

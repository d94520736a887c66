#include "config/config_error.h"

#include <algorithm>
#include <tuple>

#include "base/strings.h"

namespace sluice::config {
namespace {

bool before(const ConfigError& a, const ConfigError& b) {
  return std::tie(a.at.file, a.at.line, a.at.column) < std::tie(b.at.file, b.at.line, b.at.column);
}

}  // namespace

std::string ConfigError::to_string() const {
  std::string out = file;
  if (at.known()) {
    append(out, out.empty() ? "" : ":", at.line, ":", at.column);
  }
  if (!field.empty()) {
    append(out, out.empty() ? "" : ": ", field);
  }
  append(out, out.empty() ? "" : ": ", text);
  return out;
}

void Findings::fail(ConfigError error) {
  if (!error.field.empty() && !paths_.insert(error.field).second) return;
  errors_.push_back(std::move(error));
}

bool Findings::failed(std::string_view path) const {
  const auto first = paths_.lower_bound(path);
  if (first == paths_.end() || first->substr(0, path.size()) != path) return false;
  return true;
}

void Findings::sort() {
  std::stable_sort(errors_.begin(), errors_.end(), before);
  std::stable_sort(notes_.begin(), notes_.end(),
                   [](const ConfigNote& a, const ConfigNote& b) { return before(a.what, b.what); });
}

std::string one_of(const std::vector<std::string_view>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    append(out, i == 0 ? "" : i + 1 == names.size() ? " or " : ", ", "\"", names[i], "\"");
  }
  return out;
}

}  // namespace sluice::config

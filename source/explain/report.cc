#include "explain/report.h"

#include <algorithm>

#include "base/strings.h"
#include "format/json_text.h"

namespace sluice::explain {
namespace {

constexpr size_t kPlaceColumn = 90;

void print(const Note& note, size_t depth, std::string& out) {
  const size_t start = out.size();
  out.append(2 * depth, ' ');
  append(out, note.topic, note.topic.empty() || note.text.empty() ? "" : ": ", note.text);
  if (!note.place.empty()) {
    const size_t width = out.size() - start;
    out.append(width < kPlaceColumn ? kPlaceColumn - width : 2, ' ');
    append(out, note.place);
  }
  out += '\n';
  for (const Note& part : note.parts) print(part, depth + 1, out);
}

void print_json(const Note& note, std::string& out) {
  out += '{';
  bool first = true;
  const auto member = [&](std::string_view name, const std::string& text) {
    if (text.empty()) return;
    append(out, std::exchange(first, false) ? "" : ", ", "\"", name, "\": ");
    format::append_json_string(out, text);
  };
  member("topic", note.topic);
  member("text", note.text);
  member("place", note.place);
  if (!note.parts.empty()) {
    append(out, first ? "" : ", ", "\"parts\": [");
    for (size_t i = 0; i < note.parts.size(); ++i) {
      if (i > 0) out += ", ";
      print_json(note.parts[i], out);
    }
    out += ']';
  }
  out += '}';
}

}  // namespace

std::string place_of(const model::Origin& origin) {
  if (origin.line == 0) return {};
  std::string_view file = origin.resource;
  if (file.starts_with("static:")) file.remove_prefix(7);
  return cat(file, ":", origin.line);
}

std::string print_text(const Note& report) {
  std::string out;
  for (const Note& part : report.parts) print(part, 0, out);
  return out;
}

std::string print_json(const Note& report) {
  std::string out;
  print_json(report, out);
  out += '\n';
  return out;
}

}  // namespace sluice::explain

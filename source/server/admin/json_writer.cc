#include "server/admin/json_writer.h"

#include "base/strings.h"

namespace sluice::server::admin {

// Begins the line of an element: comma behind the one before, newline, indentation, key.
void JsonWriter::line(std::string_view key) {
  if (filled_.empty()) {
    return;
  }
  out_ += filled_.back() ? ",\n" : "\n";
  filled_.back() = true;
  out_.append(filled_.size(), ' ');
  if (!key.empty()) {
    append(out_, json_quote(key), ": ");
  }
}

void JsonWriter::open(std::string_view key, char bracket) {
  line(key);
  out_ += bracket;
  filled_.push_back(false);
}

void JsonWriter::close(char bracket) {
  const bool any = filled_.back();
  filled_.pop_back();
  if (any) {
    out_ += '\n';
    out_.append(filled_.size(), ' ');
  }
  out_ += bracket;
}

void JsonWriter::text(std::string_view key, std::string_view value) {
  line(key);
  out_ += json_quote(value);
}

void JsonWriter::text(std::string_view value) { text({}, value); }

void JsonWriter::number(std::string_view key, uint64_t value) {
  line(key);
  append(out_, value);
}

void JsonWriter::number_text(std::string_view key, uint64_t value) {
  line(key);
  append(out_, "\"", value, "\"");
}

void JsonWriter::boolean(std::string_view key, bool value) {
  line(key);
  out_ += value ? "true" : "false";
}

std::string JsonWriter::take() {
  out_ += '\n';
  return std::move(out_);
}

}  // namespace sluice::server::admin

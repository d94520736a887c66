#include "server/admin/json_writer.h"

#include "base/strings.h"
#include "net/internal_address.h"

namespace sluice::server::admin {

// Begins the line of an element: comma behind the one before, newline, indentation, key.
void JsonWriter::line(std::string_view key) {
  if (filled_.empty()) {
    return;
  }
  out_ += filled_.back() ? ",\n" : "\n";
  filled_.back() = true;
  out_.append(filled_.size(), ' ');
  if (key.data() != nullptr) {  // a key may be empty
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

void JsonWriter::address(const net::Address& address) {
  if (address.is_ip()) {
    begin_map("socket_address");
    text("address", address.ip_to_string());
    number("port_value", address.port());
  } else if (const std::string path = address.to_string(); net::is_internal(address)) {
    const size_t slash = path.rfind('/');
    begin_map("envoy_internal_address");
    text("server_listener_name", path.substr(net::kInternalScheme.size(), slash - net::kInternalScheme.size()));
    if (slash + 1 < path.size()) text("endpoint_id", path.substr(slash + 1));
  } else {
    begin_map("pipe");
    text("path", path);
  }
  end_map();
}

std::string JsonWriter::take() {
  out_ += '\n';
  return std::move(out_);
}

}  // namespace sluice::server::admin

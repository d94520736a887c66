// JsonWriter: JSON as protobuf prints it (one blank of indentation for each level), for pages without protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace sluice::server::admin {

// Calls must nest properly. Thread: its owner's.
class JsonWriter {
 public:
  // Without a key: an element of a list, or the document itself.
  void begin_map() { open({}, '{'); }
  void begin_map(std::string_view key) { open(key, '{'); }
  void end_map() { close('}'); }
  void begin_list(std::string_view key) { open(key, '['); }
  void end_list() { close(']'); }

  void text(std::string_view key, std::string_view value);
  void text(std::string_view value);
  void number(std::string_view key, uint64_t value);
  // 64-bit numbers are strings in JSON.
  void number_text(std::string_view key, uint64_t value);
  void boolean(std::string_view key, bool value);

  // What an Address message holds.
  void address(const net::Address& address);

  // The document with its last newline.
  std::string take();

 private:
  void open(std::string_view key, char bracket);
  void close(char bracket);
  void line(std::string_view key);

  std::string out_;
  std::vector<bool> filled_;  // by level: has an element already
};

}  // namespace sluice::server::admin

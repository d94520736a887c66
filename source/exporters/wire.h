// The wire format of protobuf, for the messages that the data path writes by hand: no message objects, no allocation
// but what the text needs to grow. https://protobuf.dev/programming-guides/encoding/
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::exporters::wire {

// ---- fields, by their numbers
void append_number(std::string& to, uint32_t field, uint64_t value);  // booleans and enums as well
void append_fixed64(std::string& to, uint32_t field, uint64_t value);
void append_double(std::string& to, uint32_t field, double value);
void append_bytes(std::string& to, uint32_t field, std::string_view bytes);
// Readers refuse a whole message for one text that is no UTF-8, and peers send such: see make_utf8().
void append_text(std::string& to, uint32_t field, std::string_view text);

// ---- the same, and nothing for the default of proto3
void put_number(std::string& to, uint32_t field, uint64_t value);
void put_text(std::string& to, uint32_t field, std::string_view text);

// A message inside another: what is appended while it lives is its content. Thread: its owner's.
class Nested {
 public:
  Nested(std::string& to, uint32_t field);
  ~Nested();
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;

 private:
  std::string& to_;
  size_t start_;
};

// What stands in `to` from `start` on is a text: its bytes that are no UTF-8 become '!', as in Envoy.
void make_utf8(std::string& to, size_t start);

}  // namespace sluice::exporters::wire

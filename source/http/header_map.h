// HeaderMap: the fields of one message, flat and in order, for the life of its exchange.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "http/token.h"

namespace sluice::http {

// One field line. Names are lower case. Both texts stand in the exchange's arena or live for ever.
struct HeaderField {
  const char* name_data;
  const char* value_data;
  uint32_t value_size;
  uint16_t name_size;
  Token token;      // kNone when the name is not one that we know
  bool as_on_wire;  // in memory it reads "name: value\r\n" in one piece: runs of such fields are sent as one block

  std::string_view name() const { return {name_data, name_size}; }
  std::string_view value() const { return {value_data, value_size}; }
};

// How the peer spelt the names of a head, for CodecOptions::Case::kPreserve: a second copy of that head, its letters as
// they came. Names that stand elsewhere (added by us) have no other spelling than lower case. Thread: its exchange's.
struct Spelling {
  const char* lower;
  const char* original;
  size_t bytes;
  std::string_view host;  // "Host" as it came: that field does not stand in the map

  std::string_view of(const char* name, size_t size) const;
};

// Texts given to add() and set() are views that must outlive the map (arena or literal); *_copy() copies them into
// the arena. Names given must be lower case. Pseudo headers do not stand here but in RequestHeaders and
// ResponseHeaders (http/message.h). Thread: its exchange's.
class HeaderMap {
 public:
  explicit HeaderMap(Arena& arena) : arena_(&arena) {}
  HeaderMap(HeaderMap&&) = default;
  HeaderMap& operator=(HeaderMap&&) = default;

  Arena& arena() const { return *arena_; }
  uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  HeaderField* begin() { return fields_; }
  HeaderField* end() { return fields_ + size_; }
  const HeaderField* begin() const { return fields_; }
  const HeaderField* end() const { return fields_ + size_; }

  // The first field of that name, or null. By token it costs one bit test when absent.
  const HeaderField* find(Token token) const;
  const HeaderField* find(std::string_view name) const;
  bool has(Token token) const { return maybe(token) && find(token) != nullptr; }
  // The first value; null data when there is none.
  std::string_view get(Token token) const;
  std::string_view get(std::string_view name) const;
  // How many lines have that name.
  uint32_t count(Token token) const;
  uint32_t count(std::string_view name) const;

  void add(Token token, std::string_view value);
  void add(std::string_view name, std::string_view value);
  void add_copy(std::string_view name, std::string_view value);
  // One line with that name is left, with this value: the first one's place is kept.
  void set(Token token, std::string_view value);
  void set(std::string_view name, std::string_view value);
  void set_copy(Token token, std::string_view value) { set(token, arena_->copy(value)); }
  void set_copy(std::string_view name, std::string_view value);
  // Joins to the first line with ',' (RFC 9110 5.3) in the arena, or adds a line; also when that line is empty.
  void append_value(Token token, std::string_view value, std::string_view separator = ",");
  // Return how many lines went.
  uint32_t remove(Token token);
  uint32_t remove(std::string_view name);
  template <typename Predicate>
  uint32_t remove_if(Predicate&& predicate) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < size_; ++i) {
      if (!predicate(static_cast<const HeaderField&>(fields_[i]))) {
        if (kept != i) fields_[kept] = fields_[i];
        ++kept;
      }
    }
    const uint32_t removed = size_ - kept;
    size_ = kept;
    return removed;
  }

  // For the codec, which knows the token already: a new last line, whose other members the caller sets at once.
  HeaderField& append(Token token) {
    if (size_ == capacity_) {
      reserve(capacity_ == 0 ? kFirstCapacity : 2 * capacity_);
    }
    HeaderField& field = fields_[size_++];
    field.token = token;
    present_[index(token) / 64] |= uint64_t{1} << (index(token) % 64);
    return field;
  }
  void push_back(const HeaderField& field) { append(field.token) = field; }

  // Room for that many lines in all.
  void reserve(uint32_t fields);

  // Null unless the codec that made this map keeps spellings.
  const Spelling* spelling() const { return spelling_; }
  void set_spelling(const Spelling* spelling) { spelling_ = spelling; }

  // Names plus values, without separators: what limits and %REQUEST_HEADERS_BYTES% count.
  size_t byte_size() const;

 private:
  static constexpr uint32_t index(Token token) { return static_cast<uint32_t>(token); }
  static constexpr uint32_t kFirstCapacity = 32;
  bool maybe(Token token) const { return (present_[index(token) / 64] >> (index(token) % 64) & 1) != 0; }

  Arena* arena_;
  const Spelling* spelling_ = nullptr;
  HeaderField* fields_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
  uint64_t present_[2] = {0, 0};  // by token; a set bit may be stale after a removal, a clear one never is
};

}  // namespace sluice::http

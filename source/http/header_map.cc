#include "http/header_map.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace sluice::http {

namespace {

// How a name is looked for: by token when it has one.
struct Wanted {
  Token token;
  std::string_view name;
  bool is(const HeaderField& field) const {
    return field.token == token && (token != Token::kNone || field.name() == name);
  }
};

Wanted wanted(Token token) {
  SLUICE_DCHECK(token != Token::kNone);
  return {token, name_of(token)};
}
Wanted wanted(std::string_view name) { return {token_of(name), name}; }

HeaderField make_field(const Wanted& what, std::string_view value) {
  SLUICE_DCHECK(what.name.size() <= UINT16_MAX && value.size() <= UINT32_MAX);
  // A value without bytes still has an address: null means absent.
  return {what.name.data(), value.data() != nullptr ? value.data() : "", static_cast<uint32_t>(value.size()),
          static_cast<uint16_t>(what.name.size()), what.token, false};
}

const HeaderField* find_in(const HeaderMap& map, const Wanted& what) {
  for (const HeaderField& field : map) {
    if (what.is(field)) {
      return &field;
    }
  }
  return nullptr;
}

void set_in(HeaderMap& map, const Wanted& what, std::string_view value) {
  bool found = false;
  for (HeaderField& field : map) {
    if (what.is(field)) {
      const HeaderField changed = make_field(what, value);
      field.value_data = changed.value_data;
      field.value_size = changed.value_size;
      field.as_on_wire = false;
      found = true;
      break;
    }
  }
  if (!found) {
    map.push_back(make_field(what, value));
    return;
  }
  bool first = true;
  map.remove_if([&](const HeaderField& field) { return what.is(field) && !std::exchange(first, false); });
}

uint32_t count_in(const HeaderMap& map, const Wanted& what) {
  return static_cast<uint32_t>(
      std::count_if(map.begin(), map.end(), [&](const HeaderField& field) { return what.is(field); }));
}

}  // namespace

std::string_view Spelling::of(const char* name, size_t size) const {
  if (name >= lower && name + size <= lower + bytes) {
    return {original + (name - lower), size};
  }
  return {name, size};
}

const HeaderField* HeaderMap::find(Token token) const {
  SLUICE_DCHECK(token != Token::kNone);
  if (maybe(token)) {
    for (const HeaderField& field : *this) {
      if (field.token == token) {
        return &field;
      }
    }
  }
  return nullptr;
}

const HeaderField* HeaderMap::find(std::string_view name) const {
  const Wanted what = wanted(name);
  return maybe(what.token) ? find_in(*this, what) : nullptr;
}

std::string_view HeaderMap::get(Token token) const {
  const HeaderField* field = find(token);
  return field != nullptr ? field->value() : std::string_view();
}

std::string_view HeaderMap::get(std::string_view name) const {
  const HeaderField* field = find(name);
  return field != nullptr ? field->value() : std::string_view();
}

uint32_t HeaderMap::count(Token token) const { return maybe(token) ? count_in(*this, wanted(token)) : 0; }
uint32_t HeaderMap::count(std::string_view name) const { return count_in(*this, wanted(name)); }

void HeaderMap::add(Token token, std::string_view value) { push_back(make_field(wanted(token), value)); }
void HeaderMap::add(std::string_view name, std::string_view value) { push_back(make_field(wanted(name), value)); }
void HeaderMap::add_copy(std::string_view name, std::string_view value) {
  add(arena_->copy(name), arena_->copy(value));
}

void HeaderMap::set(Token token, std::string_view value) { set_in(*this, wanted(token), value); }
void HeaderMap::set(std::string_view name, std::string_view value) { set_in(*this, wanted(name), value); }
void HeaderMap::set_copy(std::string_view name, std::string_view value) {
  set(arena_->copy(name), arena_->copy(value));
}

void HeaderMap::append_value(Token token, std::string_view value, std::string_view separator) {
  const HeaderField* field = find(token);
  if (field == nullptr || field->value_size == 0) {
    set(token, arena_->copy(value));
    return;
  }
  const size_t size = field->value_size + separator.size() + value.size();
  char* text = static_cast<char*>(arena_->allocate(size, 1));
  char* at = std::copy_n(field->value_data, field->value_size, text);
  at = std::copy(separator.begin(), separator.end(), at);
  std::copy(value.begin(), value.end(), at);
  // Not set(): further lines of that name stay.
  HeaderField& changed = fields_[field - fields_];
  changed.value_data = text;
  changed.value_size = static_cast<uint32_t>(size);
  changed.as_on_wire = false;
}

uint32_t HeaderMap::remove(Token token) {
  if (!maybe(token)) {
    return 0;
  }
  const Wanted what = wanted(token);
  const uint32_t removed = remove_if([&](const HeaderField& field) { return what.is(field); });
  present_[index(token) / 64] &= ~(uint64_t{1} << (index(token) % 64));
  return removed;
}

uint32_t HeaderMap::remove(std::string_view name) {
  const Wanted what = wanted(name);
  return maybe(what.token) ? remove_if([&](const HeaderField& field) { return what.is(field); }) : 0;
}

size_t HeaderMap::byte_size() const {
  size_t bytes = 0;
  for (const HeaderField& field : *this) {
    bytes += field.name_size + field.value_size;
  }
  return bytes;
}

void HeaderMap::reserve(uint32_t fields) {
  if (fields <= capacity_) {
    return;
  }
  auto* bigger = static_cast<HeaderField*>(arena_->allocate(fields * sizeof(HeaderField), alignof(HeaderField)));
  if (size_ > 0) {
    std::memcpy(static_cast<void*>(bigger), fields_, size_ * sizeof(HeaderField));
  }
  fields_ = bigger;
  capacity_ = fields;
}

}  // namespace sluice::http

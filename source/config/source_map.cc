#include "config/source_map.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "config/any.h"
#include "config/content.h"

namespace sluice::config {

using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

namespace {

// Whether `content` is what `any` holds. If not, `any` stands where another one stood when the content was kept: that
// one is gone or was filled anew, against the contract, and whoever asks would be told of a message of the past.
bool is_content(const Message& content, const Any& any) {
  const std::string_view name = type_name(any.type_url());
  if (name == "google.protobuf.Struct" || is_typed_struct(name)) return true;  // converted
  if (name != content.GetDescriptor()->full_name()) return false;
  const std::string bytes = stable_bytes(content);
  if (any.value() == bytes || any.value().empty()) return true;  // the latter while it is read from a text
  const std::unique_ptr<Message> now(content.New());
  return now->ParsePartialFromString(any.value()) && stable_bytes(*now) == bytes;
}

}  // namespace

SourceMap::Place::Place(Position at)
    : line(at.line), column(std::min(at.column, Position::kLastColumn)), file(at.file) {}

void SourceMap::sort() const {
  if (sorted_) return;
  // Stable, and the last one of equals is found: a field that was read again (--config-yaml) has its later place.
  std::stable_sort(messages_.begin(), messages_.end(),
                   [](const MessageSpot& a, const MessageSpot& b) { return std::less<>()(a.message, b.message); });
  std::stable_sort(fields_.begin(), fields_.end(), [](const FieldSpot& a, const FieldSpot& b) {
    return std::tie(a.message, a.number, a.index) < std::tie(b.message, b.number, b.index);
  });
  sorted_ = true;
}

const SourceMap::MessageSpot* SourceMap::find(const Message& message) const {
  sort();
  const auto after =
      std::upper_bound(messages_.begin(), messages_.end(), &message,
                       [](const Message* m, const MessageSpot& s) { return std::less<>()(m, s.message); });
  if (after == messages_.begin() || std::prev(after)->message != &message) return nullptr;
  return &*std::prev(after);
}

// The message that is the value of the field, when it has a place of its own.
const SourceMap::MessageSpot* SourceMap::find_value(const Message& message, int number, int index) const {
  const auto* field = message.GetDescriptor()->FindFieldByNumber(number);
  if (field == nullptr || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) return nullptr;
  const auto& reflection = *message.GetReflection();
  if (!field->is_repeated()) {
    return reflection.HasField(message, field) ? find(reflection.GetMessage(message, field)) : nullptr;
  }
  if (index >= reflection.FieldSize(message, field)) return nullptr;
  return find(reflection.GetRepeatedMessage(message, field, index));
}

Position SourceMap::at(const Message& message) const {
  if (const MessageSpot* spot = find(message)) return spot->at.position();
  const auto holder = holders_.find(&message);
  return holder == holders_.end() ? Position{} : at(static_cast<const Message&>(*holder->second));
}

Position SourceMap::at(const Message& message, int number, int index) const {
  sort();
  index = std::max(index, 0);
  const auto wanted = std::make_tuple(&message, number, index);
  const auto after = std::upper_bound(fields_.begin(), fields_.end(), wanted, [](const auto& key, const FieldSpot& s) {
    return key < std::make_tuple(s.message, s.number, s.index);
  });
  if (after != fields_.begin()) {
    const FieldSpot& spot = *std::prev(after);
    if (spot.message == &message && spot.number == number && spot.index == index) return spot.at.position();
  }
  if (const MessageSpot* value = find_value(message, number, index)) return value->at.position();
  return index > 0 ? at(message, number, 0) : at(message);
}

std::string SourceMap::path(const Message& message) const {
  if (const auto holder = holders_.find(&message); holder != holders_.end()) return path(*holder->second);
  const MessageSpot* spot = find(message);
  if (spot == nullptr || spot->parent == nullptr) return {};
  if (spot->index >= -1) return path(*spot->parent, spot->number, spot->index);
  return cat(path(*spot->parent, spot->number), "[", json_quote(keys_[static_cast<size_t>(-2 - spot->index)]), "]");
}

std::string SourceMap::path(const Message& message, int number, int index) const {
  std::string out = path(message);
  const auto* field = message.GetDescriptor()->FindFieldByNumber(number);
  append(out, out.empty() ? "" : ".", field == nullptr ? std::string_view("?") : std::string_view(field->name()));
  if (index >= 0) {
    append(out, "[", index, "]");
  }
  return out;
}

ConfigError SourceMap::error(const Message& message, std::string text) const {
  const Position place = at(message);
  return {file(place), place, path(message), std::move(text)};
}

ConfigError SourceMap::error(const Message& message, int number, std::string text, int index) const {
  const Position place = at(message, number, index);
  return {file(place), place, path(message, number, index), std::move(text)};
}

const Message* SourceMap::unpacked(const Any& any) const {
  const auto found = contents_.find(&any);
  if (found == contents_.end()) return nullptr;
  SLUICE_DCHECK(is_content(*found->second, any));
  return found->second.get();
}

const std::string& SourceMap::file(Position at) const {
  static const std::string kNone;
  return at.file < files_.size() ? files_[at.file] : kNone;
}

uint32_t SourceMap::add_file(std::string name) {
  SLUICE_CHECK(files_.size() < kMaxFiles);
  files_.push_back(std::move(name));
  return static_cast<uint32_t>(files_.size() - 1);
}

void SourceMap::add_message(const Message& message, const Message* parent, int number, int index, Position at) {
  messages_.push_back({&message, parent, number, index, Place(at)});
  sorted_ = false;
}

void SourceMap::add_map_value(const Message& message, const Message& parent, int number, std::string_view key,
                              Position at) {
  keys_.emplace_back(key);
  add_message(message, &parent, number, -1 - static_cast<int>(keys_.size()), at);
}

void SourceMap::add_field(const Message& message, int number, int index, Position at) {
  fields_.push_back({&message, number, std::max(index, 0), Place(at)});
  sorted_ = false;
}

Message& SourceMap::adopt(const Any& any, std::unique_ptr<Message> content) {
  auto& kept = contents_[&any];
  if (kept != nullptr) {
    holders_.erase(kept.get());
  }
  kept = std::move(content);
  holders_[kept.get()] = &any;
  return *kept;
}

}  // namespace sluice::config

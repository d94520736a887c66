#include "xds/change_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <memory>

#include "base/strings.h"
#include "config/any.h"

namespace sluice::xds {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using Field = MessageDifferencer::SpecificField;

constexpr size_t kMostOfAValue = 120;

// Whatever stands in or under one of these is nobody's business.
bool is_secret(std::string_view field) {
  for (const std::string_view secret : {"private_key", "private_key_provider", "password", "session_ticket_keys",
                                        "pkcs12", "generic_secret", "token_secret", "hmac_secret", "local_jwks"}) {
    if (field == secret) {
      return true;
    }
  }
  return false;
}

// Turns differences into lines. Thread: its owner's.
class Lines final : public MessageDifferencer::Reporter {
 public:
  explicit Lines(size_t most) : most_(most) {}

  void ReportAdded(const Message&, const Message& after, const std::vector<Field>& path) override {
    note(
        path, [&](const Field& field) { return cat(" is new: ", value(after, field, field.new_index)); }, true);
  }
  void ReportDeleted(const Message& before, const Message&, const std::vector<Field>& path) override {
    note(
        path, [&](const Field& field) { return cat(" is gone: ", value(before, field, field.index)); }, false);
  }
  void ReportModified(const Message& before, const Message& after, const std::vector<Field>& path) override {
    // What a message holds was told of already.
    if (!path.empty() && path.back().field != nullptr &&
        path.back().field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      return;
    }
    note(
        path,
        [&](const Field& field) {
          return cat(": ", value(before, field, field.index), " -> ", value(after, field, field.new_index));
        },
        true);
  }

  size_t count() const { return count_; }
  std::vector<std::string> take() {
    if (count_ > lines_.size()) {
      lines_.push_back(cat("and ", count_ - lines_.size(), " more"));
    }
    return std::move(lines_);
  }

 private:
  void note(const std::vector<Field>& path, const auto& what, bool newer) {
    if (++count_ > most_ || path.empty()) {
      return;
    }
    std::string line;
    bool secret = false;
    for (const Field& step : path) {
      if (step.field == nullptr) {
        continue;  // inside of an Any
      }
      append(line, line.empty() ? "" : ".", step.field->name());
      if (const int index = newer ? step.new_index : step.index; step.field->is_repeated() && index >= 0) {
        append(line, "[", index, "]");
      }
      secret = secret || is_secret(step.field->name());
    }
    const Field& last = path.back();
    line += secret || last.field == nullptr ? std::string(" changed") : what(last);
    lines_.push_back(std::move(line));
  }

  // Without secrets: what holds one is not shown at all.
  static bool holds_secret(const Message& message) {
    std::vector<const FieldDescriptor*> fields;
    const auto& reflection = *message.GetReflection();
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* const field : fields) {
      if (is_secret(field->name()) || message.GetDescriptor()->full_name() == "google.protobuf.Any") {
        return true;
      }
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        continue;
      }
      const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
      for (int i = 0; i < size; ++i) {
        if (holds_secret(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                              : reflection.GetMessage(message, field))) {
          return true;
        }
      }
    }
    return false;
  }

  static std::string value(const Message& message, const Field& where, int index) {
    const FieldDescriptor& field = *where.field;
    const auto& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const Message& inner = field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, index)
                                                 : reflection.GetMessage(message, &field);
      if (holds_secret(inner)) {
        return cat("(", inner.GetDescriptor()->name(), ")");
      }
      google::protobuf::TextFormat::Printer printer;
      printer.SetSingleLineMode(true);
      std::string text;
      printer.PrintToString(inner, &text);
      return cut(cat("{", trim(text), "}"));
    }
    google::protobuf::TextFormat::Printer printer;
    std::string text;
    printer.PrintFieldValueToString(message, &field, field.is_repeated() ? index : -1, &text);
    return cut(text);
  }

  static std::string cut(std::string_view text) {
    return text.size() <= kMostOfAValue ? std::string(text) : cat(text.substr(0, kMostOfAValue), "...");
  }

  const size_t most_;
  size_t count_ = 0;
  std::vector<std::string> lines_;
};

void compare(const Message& before, const Message& after, MessageDifferencer::RepeatedFieldComparison how,
             Lines& lines) {
  MessageDifferencer differencer;
  differencer.set_repeated_field_comparison(how);
  differencer.ReportDifferencesTo(&lines);
  differencer.Compare(before, after);
}

}  // namespace

std::vector<std::string> describe_change(std::string_view type_url, const std::string& before, const std::string& after,
                                         size_t most) {
  if (before == after) {
    return {};
  }
  const std::string_view type = config::type_name(type_url);
  if (before.size() > kMostToCompare || after.size() > kMostToCompare || type.ends_with(".Secret")) {
    return {"changed"};
  }
  const std::unique_ptr<Message> old = config::new_message(type);
  const std::unique_ptr<Message> now = config::new_message(type);
  if (old == nullptr || !old->ParsePartialFromString(before) || !now->ParsePartialFromString(after)) {
    return {"changed"};
  }
  // By position, what comes into the middle of a list makes all that follows another; by content, what changed is gone
  // and new. The shorter one says it better.
  Lines by_position(most);
  compare(*old, *now, MessageDifferencer::AS_LIST, by_position);
  if (by_position.count() > 2) {
    Lines by_content(most);
    compare(*old, *now, MessageDifferencer::AS_SMART_LIST, by_content);
    if (by_content.count() < by_position.count()) {
      return by_content.take();
    }
  }
  return by_position.take();
}

}  // namespace sluice::xds

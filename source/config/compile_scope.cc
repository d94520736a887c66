#include "config/compile_scope.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"
#include "config/any.h"
#include "match/regex.h"

namespace sluice::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Texts that origins view, for the life of the process: one for each file.
std::string_view interned(const std::string& text) {
  static auto& texts = *new std::set<std::string>();
  return *texts.insert(text).first;
}

}  // namespace

void CompileScope::error(const Message& message, std::string text) {
  findings_.fail(map_.error(message, std::move(text)));
}

void CompileScope::error(const Message& message, int field, std::string text, int index) {
  findings_.fail(map_.error(message, field, std::move(text), index));
}

void CompileScope::pass_over(const Message& message, std::string text) {
  findings_.note({ConfigNote::Kind::UnknownField, map_.error(message, std::move(text))});
}

void CompileScope::not_supported(const Message& message, int field, int index) {
  error(message, field, cat("not supported yet: ", message.GetDescriptor()->FindFieldByNumber(field)->name()), index);
}

void CompileScope::only(const Message& message, std::initializer_list<int> known) {
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    if (std::find(known.begin(), known.end(), field->number()) == known.end()) not_supported(message, field->number());
  }
}

const Message* CompileScope::unpack(const google::protobuf::Any& any) {
  const auto content = config::unpack(any, map_);
  if (content) return *content;
  error(any, content.error());
  return nullptr;
}

const Message* CompileScope::unpack_to(const google::protobuf::Any& any, std::string_view type) {
  const Message* content = unpack(any);
  if (content == nullptr || content->GetDescriptor()->full_name() == type) return content;
  error(any, cat("is a ", content->GetDescriptor()->full_name(), "; meant is a ", type));
  return nullptr;
}

model::Origin CompileScope::origin(const Message& message) const {
  const Position at = map_.at(message);
  if (!at.known()) return {"dynamic", {}, 0, 0};
  return {interned(cat("static:", map_.file(at))), {}, at.line, at.column};
}

void CompileScope::require_cluster(const Message& message, int field, const std::string& name) {
  if (clusters->names.contains(name) || clusters->incomplete) return;
  std::vector<std::string_view> names;
  for (const auto& [known, kind] : clusters->names) names.push_back(known);
  const std::string_view meant = nearest(name, names);
  error(message, field,
        cat("there is no cluster '", name, "'", meant.empty() ? "" : cat("; did you mean '", meant, "'?")));
}

std::optional<format::Formatter> CompileScope::formatter(const Message& message, int field, std::string_view text,
                                                         format::ParseOptions options) {
  auto parsed = format::Formatter::parse(text, options);
  if (parsed) return std::move(*parsed);
  error(message, field, parsed.error());
  return std::nullopt;
}

uint32_t CompileScope::max_program_size() const {
  return static_cast<uint32_t>(
      runtime.number("re2.max_program_size.error_level").value_or(match::Regex::kMaxProgramSize));
}

Duration to_duration(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
}

}  // namespace sluice::config

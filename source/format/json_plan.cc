#include "format/json_plan.h"

#include <algorithm>

#include "base/strings.h"
#include "format/json_text.h"
#include "format/parse.h"

namespace sluice::format {
namespace {

constexpr auto kNothing = ParseOptions::Unset::kNothing;

Result<JsonPlan> compile_text(const std::string& text, const ParseOptions& options) {
  auto pieces = parse_pieces(text, options);
  if (!pieces.ok()) {
    return Error{pieces.error()};
  }
  JsonPlan out;
  if (pieces->empty() || (pieces->size() == 1 && pieces->front().op == nullptr)) {
    append_json_string(out.literal, pieces->empty() ? std::string_view() : std::string_view(pieces->front().text));
    return out;
  }
  out.kind = pieces->size() == 1 ? JsonPlan::Kind::kOperator : JsonPlan::Kind::kText;
  out.pieces = std::move(*pieces);
  return out;
}

Result<JsonPlan> compile_map(const JsonNode& node, const ParseOptions& options) {
  JsonPlan out;
  out.kind = JsonPlan::Kind::kMap;
  std::vector<const JsonNode::Member*> sorted;
  for (const JsonNode::Member& member : node.members) {
    sorted.push_back(&member);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const JsonNode::Member* member : sorted) {
    auto value = compile_json(member->value, options);
    if (!value.ok()) {
      return Error{cat(member->name, ": ", value.error())};
    }
    std::string key;
    append_json_string(key, member->name);
    key += ':';
    out.members.push_back({std::move(key), std::move(*value)});
  }
  return out;
}

Result<JsonPlan> compile_list(const JsonNode& node, const ParseOptions& options) {
  JsonPlan out;
  out.kind = JsonPlan::Kind::kList;
  for (const JsonNode& item : node.items) {
    auto value = compile_json(item, options);
    if (!value.ok()) {
      return Error{value.error()};
    }
    out.items.push_back(std::move(*value));
  }
  return out;
}

// False: the value is unset and nothing was written.
bool append_value(std::string& to, const Facts& facts, const JsonPlan& plan, ParseOptions::Unset unset);

bool append_map(std::string& to, const Facts& facts, const JsonPlan& plan, ParseOptions::Unset unset) {
  const size_t start = to.size();
  to += '{';
  bool any = false;
  for (const auto& [key, value] : plan.members) {
    const size_t before = to.size();
    if (any) {
      to += ',';
    }
    to += key;
    if (append_value(to, facts, value, unset)) {
      any = true;
    } else {
      to.resize(before);
    }
  }
  if (!any && !plan.members.empty()) {
    to.resize(start);
    return false;
  }
  to += '}';
  return true;
}

bool append_list(std::string& to, const Facts& facts, const JsonPlan& plan, ParseOptions::Unset unset) {
  to += '[';
  bool any = false;
  for (const JsonPlan& item : plan.items) {
    const size_t before = to.size();
    if (any) {
      to += ',';
    }
    if (append_value(to, facts, item, unset)) {
      any = true;
    } else {
      to.resize(before);
    }
  }
  to += ']';
  return true;
}

bool append_value(std::string& to, const Facts& facts, const JsonPlan& plan, ParseOptions::Unset unset) {
  switch (plan.kind) {
    case JsonPlan::Kind::kLiteral:
      to += plan.literal;
      return !plan.literal.empty();
    case JsonPlan::Kind::kMap:
      return append_map(to, facts, plan, unset);
    case JsonPlan::Kind::kList:
      return append_list(to, facts, plan, unset);
    case JsonPlan::Kind::kText: {
      to += '"';
      const size_t start = to.size();
      append_pieces(to, facts, plan.pieces, unset);
      escape_json(to, start);
      to += '"';
      return true;
    }
    case JsonPlan::Kind::kOperator:
      break;
  }
  if (append_json_piece(to, facts, plan.pieces.front())) {
    return true;
  }
  to += unset == kNothing ? "" : "null";
  return unset != kNothing;
}

}  // namespace

bool append_json_piece(std::string& to, const Facts& facts, const Piece& piece) {
  const size_t start = to.size();
  if (piece.op->append_json != nullptr) {
    return piece.op->append_json(to, facts, piece);
  }
  if (piece.op->type == kNumber) {
    return piece.op->append(to, facts, piece);
  }
  to += '"';
  if (!piece.op->append(to, facts, piece)) {
    to.resize(start);
    return false;
  }
  if (to.size() - start - 1 > piece.limit) {
    to.resize(start + 1 + piece.limit);
  }
  escape_json(to, start + 1);
  to += '"';
  return true;
}

Result<JsonPlan> compile_json(const JsonNode& node, const ParseOptions& options) {
  JsonPlan out;
  switch (node.kind) {
    case JsonNode::Kind::kNull:
      if (options.unset != kNothing) out.literal = "null";  // else as a value that is not set
      return out;
    case JsonNode::Kind::kBoolean:
      out.literal = node.boolean ? "true" : "false";
      return out;
    case JsonNode::Kind::kNumber:
      append_json_number(out.literal, node.number);
      return out;
    case JsonNode::Kind::kText:
      return compile_text(node.text, options);
    case JsonNode::Kind::kMap:
      return compile_map(node, options);
    case JsonNode::Kind::kList:
      return compile_list(node, options);
  }
  return out;
}

void append_json(std::string& to, const Facts& facts, const JsonPlan& plan, ParseOptions::Unset unset) {
  if (!append_value(to, facts, plan, unset)) {
    to += "{}";
  }
}

}  // namespace sluice::format

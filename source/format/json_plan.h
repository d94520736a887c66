// A compiled JSON format. Only Formatter uses this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/formatter.h"
#include "format/operators.h"

namespace sluice::format {

// A value of the document. Immutable. Thread: any.
struct JsonPlan {
  enum class Kind : uint8_t { kLiteral, kText, kOperator, kMap, kList };

  Kind kind = Kind::kLiteral;
  std::string literal;        // JSON as it stands
  std::vector<Piece> pieces;  // kText: mixed text; kOperator: one operator alone
  struct Member;
  std::vector<Member> members;  // sorted
  std::vector<JsonPlan> items;
};

struct JsonPlan::Member {
  std::string key;  // with its quotes and colon
  JsonPlan value;
};

// The piece is an operator that tells what the exchange took on the client's connection.
bool tells_wire_bytes(const Piece& piece);

// One operator alone: a number, a text with its quotes, or a whole value. False: it is unset and nothing was written.
bool append_json_piece(std::string& to, const Facts& facts, const Piece& piece);

Result<JsonPlan> compile_json(const JsonNode& node, const ParseOptions& options);
void append_json(std::string& to, const Facts& facts, const JsonPlan& plan, ParseOptions::Unset unset);

}  // namespace sluice::format

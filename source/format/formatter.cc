#include "format/formatter.h"

#include <algorithm>

#include "base/strings.h"
#include "format/json_plan.h"
#include "format/parse.h"

namespace sluice::format {

const std::string_view kDefaultFormat =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
    "\"%UPSTREAM_HOST%\"\n";

Result<Formatter> Formatter::parse(std::string_view text, const ParseOptions& options) {
  auto pieces = parse_pieces(text, options);
  if (!pieces.ok()) {
    return Error{pieces.error()};
  }
  Formatter out;
  out.unset_ = options.unset;
  out.pieces_ = std::move(*pieces);
  return out;
}

Result<Formatter> Formatter::parse_json(const JsonNode& root, const ParseOptions& options) {
  auto plan = compile_json(root, options);
  if (!plan.ok()) {
    return Error{plan.error()};
  }
  Formatter out;
  out.unset_ = options.unset;
  out.json_ = std::make_shared<const JsonPlan>(std::move(*plan));
  return out;
}

void append_pieces(std::string& to, const Facts& facts, const std::vector<Piece>& pieces, ParseOptions::Unset unset) {
  for (const Piece& piece : pieces) {
    if (piece.op == nullptr) {
      to += piece.text;
      continue;
    }
    const size_t start = to.size();
    if (!piece.op->append(to, facts, piece)) {
      to += unset == ParseOptions::Unset::kDash ? "-" : "";
    } else if (to.size() - start > piece.limit) {
      to.resize(start + piece.limit);
    }
  }
}

void Formatter::append(std::string& to, const Facts& facts) const {
  if (json_ != nullptr) {
    append_json(to, facts, *json_, unset_);
    to += '\n';
    return;
  }
  append_pieces(to, facts, pieces_, unset_);
}

std::string Formatter::format(const Facts& facts) const {
  std::string out;
  append(out, facts);
  return out;
}

bool tells_wire_bytes(const Piece& piece) {
  return piece.op != nullptr &&
         ((piece.op->name.starts_with("DOWNSTREAM_") && piece.op->name.find("_BYTES_") != std::string_view::npos) ||
          std::any_of(piece.choices.begin(), piece.choices.end(), format::tells_wire_bytes));
}

namespace {
bool tell_wire_bytes(const JsonPlan& plan) {
  return std::any_of(plan.pieces.begin(), plan.pieces.end(), tells_wire_bytes) ||
         std::any_of(plan.members.begin(), plan.members.end(),
                     [](const auto& member) { return tell_wire_bytes(member.value); }) ||
         std::any_of(plan.items.begin(), plan.items.end(), tell_wire_bytes);
}
}  // namespace

bool Formatter::tells_wire_bytes() const {
  return json_ != nullptr ? tell_wire_bytes(*json_)
                          : std::any_of(pieces_.begin(), pieces_.end(), format::tells_wire_bytes);
}

std::string_view Formatter::constant() const {
  if (json_ != nullptr || pieces_.size() > 1) return {};
  if (pieces_.empty()) return "";
  return pieces_[0].op == nullptr ? std::string_view(pieces_[0].text) : std::string_view();
}

}  // namespace sluice::format

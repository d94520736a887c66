// From the text of a format to its pieces. Only Formatter and JsonPlan use this.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/formatter.h"
#include "format/operators.h"

namespace sluice::format {

// An operator by its name: what stands in brackets (empty: nothing), and its length (none: whole).
Result<Piece> parse_operator(std::string_view name, std::string_view argument, std::optional<uint32_t> limit,
                             const ParseOptions& options);
Result<std::vector<Piece>> parse_pieces(std::string_view text, const ParseOptions& options);

void append_pieces(std::string& to, const Facts& facts, const std::vector<Piece>& pieces, ParseOptions::Unset unset);

}  // namespace sluice::format

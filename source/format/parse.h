// From the text of a format to its pieces. Only Formatter and JsonPlan use this.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "format/formatter.h"
#include "format/operators.h"

namespace sluice::format {

Result<std::vector<Piece>> parse_pieces(std::string_view text, const ParseOptions& options);

void append_pieces(std::string& to, const Facts& facts, const std::vector<Piece>& pieces, ParseOptions::Unset unset);

}  // namespace sluice::format

// The words of the expression language. https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::cel {

// Thread: any.
struct Token {
  enum class Kind : uint8_t {
    kEnd,
    kIdentifier,
    kQuotedField,  // `a name between back quotes`
    kInt,
    kUint,
    kDouble,
    kString,
    kBytes,
    kSymbol,  // operators and brackets, and the words in, true, false, null
  };
  Kind kind = Kind::kEnd;
  std::string_view text;  // as it stands there; a number without its 'u'
  std::string value;      // what a string, bytes or a quoted name mean
  size_t column = 1;

  bool is(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
};

// All of them, and one kEnd; or what is wrong, and where.
Result<std::vector<Token>> tokens_of(std::string_view text);

Error wrong_at(size_t column, std::string_view what);

}  // namespace sluice::cel

#include "xds/nack.h"

#include <algorithm>

#include "base/utf8.h"

namespace sluice::xds {
namespace {

constexpr size_t kMost = 4096;

}  // namespace

std::string nack_text(std::string_view why) {
  std::string text(why);
  if (!is_utf8(text)) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  }
  if (text.size() > kMost) {
    size_t end = kMost;
    while ((text[end] & 0xc0) == 0x80) {
      --end;  // not inside a character
    }
    text.resize(end);
    text += "...(truncated)";
  }
  return text;
}

}  // namespace sluice::xds

// The fast scan finds what a plain loop finds, wherever the blocks of 32 bytes begin.
#include "http/http1/scan.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace sluice::http::http1 {
namespace {

constexpr uint32_t kMaxLines = 128;

struct Found {
  uint32_t end = 0;
  std::vector<uint32_t> lines;
  bool operator==(const Found&) const = default;
};

// RFC 9112 2.2, byte by byte.
Found plainly(const std::string& text) {
  Found found;
  size_t line_start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_field_char(text[i])) {
      continue;
    }
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') {
      return {};
    }
    if (i == line_start) {
      found.end = static_cast<uint32_t>(i + 2);
      return found;
    }
    found.lines.push_back(static_cast<uint32_t>(i));
    line_start = ++i + 1;
  }
  return {};
}

Found fast(const std::string& text) {
  uint32_t ends[kMaxLines];
  uint32_t count = 0;
  const uint32_t end = find_section(text.data(), static_cast<uint32_t>(text.size()), ends, kMaxLines, count);
  return end == 0 ? Found{} : Found{end, {ends, ends + count}};
}

TEST(Http1Scan, ABadByteIsSeenAtEveryPlace) {
  const std::string good =
      "GET /0123456789 HTTP/1.1\r\nhost: abc\r\nx:\r\nlonger-than-a-block: 0123456789abcdef0123456789\r\n\r\n";
  for (size_t shift = 0; shift < 40; ++shift) {
    const std::string text = std::string(shift, 'a') + good;
    ASSERT_EQ(fast(text), plainly(text));
    ASSERT_EQ(fast(text).lines.size(), 4u);
    for (size_t place = 0; place < text.size(); ++place) {
      for (const char bad : {'\0', '\r', '\n', '\x1f', '\x7f', '\t'}) {
        std::string changed = text;
        changed[place] = bad;
        ASSERT_EQ(fast(changed), plainly(changed)) << shift << " " << place << " " << static_cast<int>(bad);
        changed.insert(place, 1, bad);
        ASSERT_EQ(fast(changed), plainly(changed)) << shift << " " << place << " " << static_cast<int>(bad);
      }
    }
  }
}

TEST(Http1Scan, RandomTexts) {
  std::mt19937 random(7);
  const std::string pieces[] = {"a",  "bcdefghijklmnop",   "\r\n", "\r\n", "\r\n\r\n", "\t", "\r",
                                "\n", std::string(1, '\0')};
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    const size_t faults = random() % 4 == 0 ? 0 : 3;
    for (uint32_t i = random() % 24; i > 0; --i) {
      text += pieces[random() % (std::size(pieces) - faults)];
    }
    ASSERT_EQ(fast(text), plainly(text));
  }
}

}  // namespace
}  // namespace sluice::http::http1

// Packing and unpacking of bodies: what one side writes the other reads, however it is cut; hostile bodies end.
#include "http/body_coding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.h"
#include "buffer/slab.h"

namespace sluice::http {
namespace {

using Then = BodyWriter::Then;

class BodyCoding : public testing::TestWithParam<Coding> {
 protected:
  Packing packing() const {
    if (GetParam() == Coding::kGzip) return GzipPacking{};
    if (GetParam() == Coding::kBrotli) return BrotliPacking{};
    return ZstdPacking{.checksum = true};
  }
  Unpacking unpacking() const {
    if (GetParam() == Coding::kGzip) return GzipUnpacking{};
    if (GetParam() == Coding::kBrotli) return BrotliUnpacking{};
    return ZstdUnpacking{};
  }
  static std::string text_of(buffer::Buffer& buffer) {
    std::string out;
    for (; !buffer.empty(); buffer.drain(buffer.front().size())) out += buffer.front();
    return out;
  }
  std::string write(BodyWriter& writer, std::string_view text, Then then) {
    buffer::Buffer data(slabs_);
    data.append_borrowed(text);
    writer.write(data, then);
    return text_of(data);
  }
  std::string pack(std::string_view text) { return write(*make_writer(arena_, packing()), text, Then::kFinish); }
  // Appends to `text`.
  Unpacked read(BodyReader& reader, std::string_view bytes, std::string& text) {
    buffer::Buffer data(slabs_);
    data.append_borrowed(bytes);
    const Unpacked result = reader.read(data);
    if (result == Unpacked::kFine) text += text_of(data);
    return result;
  }

  Owner owner_{"test"};
  ChunkPool chunks_{owner_};
  buffer::SlabPool slabs_{owner_};
  Arena arena_{chunks_};
};

std::string prose(size_t bytes) {
  SeededRandom random(7);
  std::string out;
  while (out.size() < bytes) out += static_cast<char>('a' + random.next() % 20);
  return out;
}

TEST_P(BodyCoding, ReadsWhatItWrote) {
  for (const size_t size : {0, 1, 100, 70'000, 400'000}) {
    const std::string text = prose(size), packed = pack(text);
    EXPECT_TRUE(size < 100 || packed.size() < size) << size;
    std::string got;
    EXPECT_EQ(read(*make_reader(arena_, unpacking()), packed, got), Unpacked::kFine);
    EXPECT_EQ(got, text) << size;
  }
}

TEST_P(BodyCoding, EachPieceCanBeReadAsSoonAsItWasWritten) {
  BodyWriter& writer = *make_writer(arena_, packing());
  BodyReader& reader = *make_reader(arena_, unpacking());
  for (int i = 0; i < 20; ++i) {
    const std::string text = prose(static_cast<size_t>(i) * 500);
    std::string got;
    EXPECT_EQ(read(reader, write(writer, text, Then::kFlush), got), Unpacked::kFine);
    EXPECT_EQ(got, text);
  }
  std::string got;
  EXPECT_EQ(read(reader, write(writer, {}, Then::kFinish), got), Unpacked::kFine);
  EXPECT_EQ(got, "");
}

TEST_P(BodyCoding, EveryCutGivesTheSame) {
  const std::string text = prose(900), packed = pack(text);
  for (size_t cut = 1; cut < packed.size(); ++cut) {
    BodyReader& reader = *make_reader(arena_, unpacking());
    std::string got;
    ASSERT_EQ(read(reader, packed.substr(0, cut), got), Unpacked::kFine) << cut;
    ASSERT_EQ(read(reader, packed.substr(cut), got), Unpacked::kFine) << cut;
    ASSERT_EQ(got, text) << cut;
  }
}

TEST_P(BodyCoding, OtherBytesEndIt) {
  const std::string packed = pack(prose(900));
  std::string got;
  EXPECT_EQ(read(*make_reader(arena_, unpacking()), "this is not packed at all", got), Unpacked::kBadData);
  EXPECT_EQ(read(*make_reader(arena_, unpacking()), packed + "and more", got), Unpacked::kBadData);
  if (GetParam() == Coding::kBrotli) return;  // it has no checksum: other bytes may be another text
  std::string broken = packed;
  std::fill(broken.begin() + 20, broken.begin() + 60, '\xff');
  EXPECT_NE(read(*make_reader(arena_, unpacking()), broken, got), Unpacked::kFine);
}

// A bomb that is fed in whole, and one that comes byte by byte: the limit is one of the body, not of a piece.
TEST_P(BodyCoding, BombsEndIt) {
  const std::string bomb = pack(std::string(20'000'000, '\0'));
  ASSERT_LT(bomb.size(), 20'000u);
  std::string got;
  EXPECT_EQ(read(*make_reader(arena_, unpacking()), bomb, got), Unpacked::kTooMuch);
  EXPECT_LT(owner_.bytes(), 8'000'000);
  got.clear();
  BodyReader& reader = *make_reader(arena_, unpacking());
  Unpacked last = Unpacked::kFine;
  for (size_t i = 0; i < bomb.size() && last == Unpacked::kFine; ++i) last = read(reader, bomb.substr(i, 1), got);
  EXPECT_EQ(last, Unpacked::kTooMuch);
  EXPECT_LT(got.size(), 64 * 1024 + bomb.size() * 100);
}

INSTANTIATE_TEST_SUITE_P(All, BodyCoding, testing::Values(Coding::kGzip, Coding::kBrotli, Coding::kZstd),
                         [](const auto& info) { return std::string(name_of(info.param)); });

using ZstdBody = BodyCoding;
INSTANTIATE_TEST_SUITE_P(Zstd, ZstdBody, testing::Values(Coding::kZstd));

TEST_P(ZstdBody, AWrongChecksumIsToldApart) {
  std::string packed = pack(prose(900)), got;
  packed.back() = static_cast<char>(packed.back() ^ 1);
  EXPECT_EQ(read(*make_reader(arena_, unpacking()), packed, got), Unpacked::kBadChecksum);
}

// The head of a frame asks for 128 MiB before a byte of content.
TEST_P(ZstdBody, AWindowAboveEightMebibytesIsRefused) {
  constexpr std::string_view kHead("\x28\xb5\x2f\xfd\x00\x88\x00\x00\x00", 9);
  std::string got;
  EXPECT_EQ(read(*make_reader(arena_, unpacking()), kHead, got), Unpacked::kBadData);
}

}  // namespace
}  // namespace sluice::http

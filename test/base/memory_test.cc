// Arena, ChunkPool and Owner: memory is aligned, given back, reused and accounted for.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/arena.h"
#include "base/owner.h"
#include "base/random.h"

namespace sluice {
namespace {

class ArenaTest : public testing::Test {
 protected:
  Owner owner_{"test"};
  ChunkPool pool_{owner_};
};

TEST_F(ArenaTest, TakesNothingBeforeItsFirstUse) {
  Arena arena(pool_);
  EXPECT_EQ(owner_.bytes(), 0);
  EXPECT_EQ(arena.copy(""), "");
  EXPECT_EQ(owner_.bytes(), 0);
  arena.allocate(1);
  EXPECT_EQ(owner_.bytes(), static_cast<int64_t>(ChunkPool::kChunkBytes));
}

TEST_F(ArenaTest, BlocksAreAlignedAndDoNotOverlap) {
  SeededRandom random(1);
  Arena arena(pool_);
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  for (int i = 0; i < 2000; ++i) {
    const size_t bytes = random.below(20) == 0 ? random.below(10'000) : random.below(100);
    const size_t alignment = size_t{1} << random.below(7);
    auto* block = static_cast<unsigned char*>(arena.allocate(bytes, alignment));
    ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % alignment, 0u);
    std::memset(block, i & 0xff, bytes);
    blocks.emplace_back(block, bytes);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    for (size_t j = 0; j < blocks[i].second; ++j) {
      ASSERT_EQ(blocks[i].first[j], i & 0xff);
    }
  }
}

TEST_F(ArenaTest, ABigBlockDoesNotEndTheCurrentChunk) {
  Arena arena(pool_);
  auto* before = static_cast<char*>(arena.allocate(16));
  arena.allocate(3 * ChunkPool::kChunkBytes);
  auto* after = static_cast<char*>(arena.allocate(16));
  EXPECT_EQ(after, before + 16);
}

TEST_F(ArenaTest, DestructorsRunInReverseOrder) {
  static std::string log;
  struct Noisy {
    explicit Noisy(char name) : name(name) {}
    ~Noisy() { log += name; }
    char name;
  };
  log.clear();
  Arena arena(pool_);
  for (const char c : {'a', 'b', 'c'}) {
    EXPECT_EQ(arena.create<Noisy>(c)->name, c);
  }
  arena.clear();
  EXPECT_EQ(log, "cba");
  arena.create<Noisy>('d');  // it can be used again
  arena.clear();
  arena.clear();
  EXPECT_EQ(log, "cbad");
}

TEST_F(ArenaTest, CopiesOutliveTheirSource) {
  Arena arena(pool_);
  std::string source = "short lived";
  const std::string_view copy = arena.copy(source);
  source.assign(source.size(), 'x');
  EXPECT_EQ(copy, "short lived");
}

TEST_F(ArenaTest, ChunksAreReusedAndReleased) {
  const int64_t chunk = ChunkPool::kChunkBytes;
  {
    Arena arena(pool_);
    for (int i = 0; i < 10; ++i) {
      arena.allocate(3000);
    }
    EXPECT_EQ(owner_.bytes(), 10 * chunk);
    arena.allocate(20'000);
    EXPECT_GE(owner_.bytes(), 10 * chunk + 20'000);
  }
  EXPECT_EQ(owner_.bytes(), 10 * chunk);  // odd sizes are not kept
  {
    Arena one(pool_);
    Arena two(pool_);
    one.allocate(100);
    two.allocate(100);
    EXPECT_EQ(owner_.bytes(), 10 * chunk);
  }
  {
    Owner other("other");
    ChunkPool full(other);
    {
      Arena arena(full);
      for (size_t i = 0; i < ChunkPool::kMaxKept + 100; ++i) {
        arena.allocate(3000);
      }
    }
    EXPECT_EQ(other.bytes(), static_cast<int64_t>(ChunkPool::kMaxKept) * chunk);
  }
}

TEST(ChunkPool, ReleasesAllAtItsEnd) {
  Owner owner("test");
  {
    ChunkPool pool(owner);
    Arena arena(pool);
    arena.allocate(100'000);
    arena.allocate(100);
  }
  EXPECT_EQ(owner.bytes(), 0);
}

TEST(Owner, AccountsListsTheLivingInOrder) {
  const size_t before = Owner::accounts().size();
  Owner one("one");
  {
    Owner two("two");
    Owner three("three");
    two.charge(100);
    two.release(30);
    const auto accounts = Owner::accounts();
    ASSERT_EQ(accounts.size(), before + 3);
    EXPECT_STREQ(accounts[before].name, "one");
    EXPECT_STREQ(accounts[before + 1].name, "two");
    EXPECT_EQ(accounts[before + 1].bytes, 70);
  }
  EXPECT_EQ(Owner::accounts().size(), before + 1);
}

}  // namespace
}  // namespace sluice

// Buffer against a plain string as its model, and the rules of borrowing, owning and accounting.
#include "buffer/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/poison.h"
#include "base/random.h"

namespace sluice::buffer {
namespace {

class BufferTest : public testing::Test {
 protected:
  Owner owner_{"test"};
  SlabPool pool_{owner_};
};

std::string fragments_of(const Buffer& buffer) {
  iovec parts[64];
  const size_t count = buffer.fragments(parts, 64);
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    out += (i > 0 ? "|" : "") + std::string(static_cast<char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return out;
}

TEST_F(BufferTest, BorrowedBytesStayWhereTheyAre) {
  const std::string text = "borrowed";
  Buffer buffer(pool_);
  buffer.append_borrowed(text);
  buffer.append_borrowed("");
  EXPECT_EQ(buffer.front().data(), text.data());
  EXPECT_EQ(buffer.size(), 8u);
  EXPECT_EQ(owner_.bytes(), 0);
}

TEST_F(BufferTest, OwnCopiesWhatIsBorrowedInOrder) {
  std::string text = "abc";
  Buffer buffer(pool_);
  buffer.append_borrowed(text);
  buffer.append_copy("def");
  buffer.append_borrowed(text);
  EXPECT_EQ(fragments_of(buffer), "abc|def|abc");
  buffer.own();
  text = "xxx";
  EXPECT_EQ(buffer.to_string(), "abcdefabc");
  EXPECT_GT(owner_.bytes(), 0);
  const char* where = buffer.front().data();
  buffer.own();  // nothing is borrowed any more
  EXPECT_EQ(buffer.front().data(), where);
}

TEST_F(BufferTest, CopiesFillTheirSlab) {
  Buffer buffer(pool_);
  for (int i = 0; i < 100; ++i) {
    buffer.append_copy("0123456789");
  }
  iovec parts[4];
  EXPECT_EQ(buffer.fragments(parts, 4), 1u);
  EXPECT_EQ(owner_.bytes(), static_cast<int64_t>(SlabPool::kSmall));
}

TEST_F(BufferTest, MoveTakesSlabsAlong) {
  Buffer one(pool_);
  Buffer two(pool_);
  one.append_copy("0123456789");
  const char* data = one.front().data();
  two.move_from(one, 4);
  EXPECT_EQ(two.to_string(), "0123");
  EXPECT_EQ(one.to_string(), "456789");
  EXPECT_EQ(two.front().data(), data);
  two.move_from(one);
  EXPECT_EQ(two.to_string(), "0123456789");
  EXPECT_TRUE(one.empty());
  one.move_from(two, 100);
  EXPECT_EQ(one.to_string(), "0123456789");
}

// Two buffers share a slab: what one appends must not appear in the other.
TEST_F(BufferTest, SharersOfASlabDoNotDisturbEachOther) {
  Buffer one(pool_);
  Buffer two(pool_);
  one.append_copy("abcdef");
  two.move_from(one, 3);
  two.append_copy("XYZ");
  one.append_copy("ghi");
  EXPECT_EQ(two.to_string(), "abcXYZ");
  EXPECT_EQ(one.to_string(), "defghi");
}

TEST_F(BufferTest, ReserveAndCommit) {
  Buffer buffer(pool_);
  std::memcpy(buffer.reserve(100), "hello", 5);
  buffer.commit(5);
  char* more = buffer.reserve(10);
  EXPECT_EQ(more, buffer.front().data() + 5);
  buffer.commit(0);
  EXPECT_EQ(buffer.to_string(), "hello");
  buffer.clear();
  buffer.reserve(SlabPool::kLarge / 2);
  buffer.commit(0);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.front(), "");
  buffer.append_copy("x");
  buffer.append_borrowed("y");
  std::memcpy(buffer.reserve(1), "z", 1);  // not behind borrowed bytes
  buffer.commit(1);
  EXPECT_EQ(fragments_of(buffer), "x|y|z");
}

TEST_F(BufferTest, LinearizeCopiesOnlyWhenItMust) {
  Buffer buffer(pool_);
  buffer.append_borrowed("head");
  buffer.append_borrowed("er: ");
  buffer.append_borrowed("value");
  const char* where = buffer.front().data();
  EXPECT_EQ(buffer.linearize(4).data(), where);
  EXPECT_EQ(buffer.linearize(10), "header: va");
  EXPECT_EQ(buffer.to_string(), "header: value");
  EXPECT_EQ(buffer.linearize(13), "header: value");
  EXPECT_EQ(fragments_of(buffer), "header: value");
  EXPECT_EQ(buffer.linearize(0), "");
}

TEST_F(BufferTest, ManyFragmentsGrowAndShrink) {
  Buffer buffer(pool_);
  std::string model;
  for (int i = 0; i < 1000; ++i) {
    buffer.append_borrowed("ab");
    model += "ab";
    if (i % 3 == 2) {
      buffer.drain(3);
      model.erase(0, 3);
    }
  }
  EXPECT_EQ(buffer.to_string(), model);
  iovec parts[2];
  EXPECT_EQ(buffer.fragments(parts, 2), 2u);
}

TEST_F(BufferTest, MovesOfTheWholeBuffer) {
  for (const int fragments : {1, 3, 10}) {
    Buffer from(pool_);
    std::string model;
    for (int i = 0; i < fragments; ++i) {
      from.append_borrowed("0123456789");
      model += "0123456789";
    }
    from.append_copy("owned");
    model += "owned";
    Buffer moved(std::move(from));
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(moved.to_string(), model);
    from.append_copy("again");
    Buffer assigned(pool_);
    for (int i = 0; i < 20; ++i) {
      assigned.append_copy(std::string(3000, 'x'));
    }
    assigned = std::move(moved);
    EXPECT_EQ(assigned.to_string(), model);
    EXPECT_EQ(from.to_string(), "again");
  }
}

TEST_F(BufferTest, AllMemoryGoesBack) {
  {
    Buffer buffer(pool_);
    buffer.append_copy(std::string(3'000'000, 'm'));
    EXPECT_GT(owner_.bytes(), 3'000'000);
    Buffer other(pool_);
    other.move_from(buffer, 1'234'567);
    buffer.drain(1'000'000);
  }
  EXPECT_LE(owner_.bytes(), static_cast<int64_t>(2 << 20));  // what the pool keeps
  const int64_t kept = owner_.bytes();
  Buffer again(pool_);
  again.append_copy(std::string(100'000, 'm'));
  EXPECT_EQ(owner_.bytes(), kept);  // from the free list
}

TEST(SlabPool, ReleasesAllAtItsEnd) {
  Owner owner("test");
  {
    SlabPool pool(owner);
    Slab* small = pool.take(100);
    Slab* large = pool.take(5000);
    Slab* capped = pool.take(10'000'000);
    EXPECT_EQ(small->capacity, SlabPool::kSmall - sizeof(Slab));
    EXPECT_EQ(large->capacity, SlabPool::kLarge - sizeof(Slab));
    EXPECT_EQ(capped->capacity, large->capacity);
    EXPECT_EQ(owner.bytes(), static_cast<int64_t>(SlabPool::kSmall + 2 * SlabPool::kLarge));
    for (Slab* slab : {small, large, capped}) {
      SlabPool::release(slab);
    }
    EXPECT_EQ(pool.take(1), small);
    SlabPool::release(small);
  }
  EXPECT_EQ(owner.bytes(), 0);
}

// ---- random operations on three buffers, each with a string as its model

struct Modelled {
  explicit Modelled(SlabPool& pool) : buffer(pool) {}
  Buffer buffer;
  std::string model;
};

class RandomOperations {
 public:
  explicit RandomOperations(uint64_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) {
      all_.emplace_back(pool_);
    }
    for (int i = 0; i < 200; ++i) {
      source_.push_back(text(random_.below(3) == 0 ? random_.below(70'000) : random_.below(50)));
    }
  }
  void step() {
    Modelled& one = all_[random_.below(3)];
    Modelled& two = all_[random_.below(3)];
    switch (random_.below(9)) {
      case 0: {
        const std::string& bytes = source_[random_.below(source_.size())];
        one.buffer.append_borrowed(bytes);
        one.model += bytes;
        break;
      }
      case 1: {
        const std::string& bytes = source_[random_.below(source_.size())];
        one.buffer.append_copy(bytes);
        one.model += bytes;
        break;
      }
      case 2:
        drain(one);
        break;
      case 3:
        move(one, two);
        break;
      case 4:
        one.buffer.own();
        break;
      case 5: {
        const size_t bytes = random_.below(std::min<size_t>(one.model.size(), 60'000) + 1);
        ASSERT_EQ(one.buffer.linearize(bytes), std::string_view(one.model).substr(0, bytes));
        break;
      }
      case 6:
        reserve(one);
        break;
      case 7:
        if (&one != &two && random_.below(4) == 0) {
          one.buffer = std::move(two.buffer);
          one.model = std::exchange(two.model, {});
        }
        break;
      default:
        if (random_.below(10) == 0) {
          one.buffer.clear();
          one.model.clear();
        }
    }
    check(one);
    check(two);
  }

 private:
  std::string text(size_t bytes) {
    std::string out(bytes, '\0');
    for (char& c : out) {
      c = static_cast<char>(random_.next());
    }
    return out;
  }
  void drain(Modelled& one) {
    const size_t bytes = random_.below(one.model.size() + 1);
    one.buffer.drain(bytes);
    one.model.erase(0, bytes);
  }
  void move(Modelled& one, Modelled& two) {
    if (&one == &two) {
      return;
    }
    const size_t bytes = random_.below(2) == 0 ? two.model.size() : random_.below(two.model.size() + 10);
    one.buffer.move_from(two.buffer, bytes);
    one.model += two.model.substr(0, bytes);
    two.model.erase(0, bytes);
  }
  void reserve(Modelled& one) {
    const size_t room = random_.below(SlabPool::kLarge / 2);
    const std::string bytes = text(random_.below(room + 1));
    std::memcpy(one.buffer.reserve(room), bytes.data(), bytes.size());
    one.buffer.commit(bytes.size());
    one.model += bytes;
  }
  static void check(const Modelled& one) {
    ASSERT_EQ(one.buffer.size(), one.model.size());
    ASSERT_EQ(one.buffer.empty(), one.model.empty());
    ASSERT_TRUE(one.buffer.to_string() == one.model);
    ASSERT_TRUE(one.model.starts_with(one.buffer.front()));
    ASSERT_EQ(one.buffer.front().empty(), one.model.empty());
  }

  SeededRandom random_;
  Owner owner_{"test"};
  SlabPool pool_{owner_};
  std::vector<Modelled> all_;
  std::vector<std::string> source_;
};

TEST(Buffer, AgreesWithAString) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    RandomOperations operations(seed);
    for (int i = 0; i < 300; ++i) {
      operations.step();
      ASSERT_FALSE(testing::Test::HasFatalFailure()) << "seed " << seed << ", step " << i;
    }
  }
}

#ifdef SLUICE_ASAN
TEST(Buffer, UseAfterReleaseIsFound) {
  Owner owner("test");
  SlabPool pool(owner);
  Buffer buffer(pool);
  buffer.append_copy("short lived");
  const char* bytes = buffer.front().data();
  buffer.clear();
  EXPECT_DEATH((void)*const_cast<const volatile char*>(bytes), "use-after-poison");
}
#endif

}  // namespace
}  // namespace sluice::buffer

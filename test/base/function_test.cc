// Function: small and big captures, moves, and the life of what is captured.
#include "base/function.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <type_traits>

namespace sluice {
namespace {

// Counts the living. Thread: the test's.
struct Counted {
  explicit Counted(int& living) : living(&living) { ++living; }
  Counted(const Counted& other) : living(other.living) { ++*living; }
  Counted(Counted&& other) noexcept : living(other.living) { ++*living; }
  ~Counted() { --*living; }
  int* living;
};

TEST(Function, IsEmptyUntilSet) {
  Function<void()> empty;
  EXPECT_FALSE(empty);
  Function<void()> null = nullptr;
  EXPECT_FALSE(null);
  empty = [] {};
  EXPECT_TRUE(empty);
  empty = nullptr;
  EXPECT_FALSE(empty);
}

TEST(Function, PassesArgumentsAndResults) {
  Function<std::string(std::string, int&)> call = [](std::string text, int& count) {
    ++count;
    return text + "!";
  };
  int count = 0;
  EXPECT_EQ(call("hi", count), "hi!");
  EXPECT_EQ(count, 1);
  Function<std::unique_ptr<int>(std::unique_ptr<int>)> pass = [](std::unique_ptr<int> p) { return p; };
  EXPECT_EQ(*pass(std::make_unique<int>(5)), 5);
}

TEST(Function, KeepsStateAndMoveOnlyCaptures) {
  Function<int()> counter = [n = std::make_unique<int>(0)] { return ++*n; };
  EXPECT_EQ(counter(), 1);
  Function<int()> moved = std::move(counter);
  EXPECT_FALSE(counter);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(moved(), 2);
}

template <size_t kPadding>
void check_lives() {
  int living = 0;
  {
    Function<int()> a = [counted = Counted(living), padding = std::array<char, kPadding>()] {
      return *counted.living + static_cast<int>(padding[0]);
    };
    EXPECT_EQ(living, 1);
    Function<int()> b = std::move(a);
    EXPECT_EQ(living, 1);
    EXPECT_EQ(b(), 1);
    Function<int()> c = [counted = Counted(living)] { return 7; };
    EXPECT_EQ(living, 2);
    c = std::move(b);
    EXPECT_EQ(living, 1);
    EXPECT_EQ(c(), 1);
    Function<int()>& alias = c;
    c = std::move(alias);
    EXPECT_EQ(c(), 1);
  }
  EXPECT_EQ(living, 0);
}

TEST(Function, SmallCapturesLiveAndDieOnce) { check_lives<1>(); }
TEST(Function, BigCapturesLiveAndDieOnce) { check_lives<100>(); }

TEST(Function, PlainCapturesMoveWithAllTheirBytes) {
  struct Plain {
    int64_t a, b, c;
  };
  static_assert(std::is_trivially_copyable_v<Plain>);
  const Plain plain{1, 20, 300};
  Function<int64_t()> one = [plain] { return plain.a + plain.b + plain.c; };
  Function<int64_t()> two = std::move(one);
  EXPECT_FALSE(one);
  one = [] { return int64_t{7}; };
  Function<int64_t()> three;
  three = std::move(two);
  EXPECT_EQ(three(), 321);
  EXPECT_EQ(one(), 7);
  three = std::move(one);
  EXPECT_EQ(three(), 7);
}

TEST(Function, MayReplaceAnotherWhileItRuns) {
  Function<void()> other = [] {};
  int calls = 0;
  Function<void()> self = [&] {
    ++calls;
    other = nullptr;
  };
  self();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(other);
}

}  // namespace
}  // namespace sluice

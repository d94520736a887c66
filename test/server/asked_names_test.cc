// Names that clients make up: who waits for one, which are asked for, and how many there can be.
#include "server/discovery/asked_names.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "test/support/sim_loop.h"
#include "test/support/sim_world.h"

namespace sluice::server {
namespace {

using namespace std::chrono_literals;
using Asked = AskedNames::Asked;
using model::Found;

struct Noting final : model::Question {
  void on_answer(Found found) override { answers.push_back(found); }
  std::vector<Found> answers;
};

class AskedNamesTest : public testing::Test {
 protected:
  model::Asker asker(const std::shared_ptr<Noting>& question) { return {loop_, question}; }
  // So many that nothing came for.
  void fill() {
    for (size_t i = 0; i < AskedNames::kMost; ++i) {
      ASSERT_EQ(names_.ask(cat("no", i)), Asked::kFirst);
      names_.answer(cat("no", i), Found::kNo);
    }
  }

  test::SimWorld world_{1};
  test::SimLoop loop_{world_};
  AskedNames names_{loop_};
};

TEST_F(AskedNamesTest, EveryoneWhoWaitsIsToldOnce) {
  const auto one = std::make_shared<Noting>(), two = std::make_shared<Noting>(), late = std::make_shared<Noting>();
  EXPECT_EQ(names_.ask("a"), Asked::kFirst);
  names_.wait("a", asker(one));
  EXPECT_EQ(names_.ask("a"), Asked::kAgain);
  names_.wait("a", asker(two));
  names_.answer("b", Found::kYes);
  names_.answer("a", Found::kYes);
  names_.answer("a", Found::kNo);
  EXPECT_TRUE(one->answers.empty()) << "answers come by the loop";
  world_.run_for(1ms);
  EXPECT_EQ(one->answers, std::vector{Found::kYes});
  EXPECT_EQ(two->answers, std::vector{Found::kYes});
  EXPECT_EQ(names_.ask("a"), Asked::kBefore);
  names_.wait("a", asker(late));
  names_.answer("a", Found::kYes);
  world_.run_for(1ms);
  EXPECT_EQ(late->answers, std::vector{Found::kYes});
}

TEST_F(AskedNamesTest, WhoLeftIsNotTold) {
  auto gone = std::make_shared<Noting>();
  names_.ask("a");
  names_.wait("a", asker(gone));
  names_.answer("a", Found::kYes);
  gone.reset();
  world_.run_for(1ms);
}

TEST_F(AskedNamesTest, TheEndTellsNo) {
  const auto one = std::make_shared<Noting>();
  {
    AskedNames ending(loop_);
    ending.ask("a");
    ending.wait("a", asker(one));
  }
  world_.run_for(1ms);
  EXPECT_EQ(one->answers, std::vector{Found::kNo});
}

TEST_F(AskedNamesTest, ANameMustBePlain) {
  for (const std::string& name : {std::string(), std::string("*"), std::string("*.test"), std::string("a b"),
                                  std::string("a\n"), std::string("\xc3\xa9"), std::string("xdstp://x/y"),
                                  std::string(AskedNames::kLongest + 1, 'a')}) {
    EXPECT_EQ(names_.ask(name), Asked::kRefused) << name;
  }
  EXPECT_EQ(names_.ask(std::string(AskedNames::kLongest, 'a')), Asked::kFirst);
}

TEST_F(AskedNamesTest, NamesThatNothingComesForHaveALimit) {
  fill();
  EXPECT_EQ(names_.ask("one.more"), Asked::kRefused);
  EXPECT_EQ(names_.names().size(), AskedNames::kMost);
  world_.run_for(AskedNames::kKept);
  EXPECT_EQ(names_.ask("one.more"), Asked::kFirst);
  EXPECT_EQ(names_.names().size(), AskedNames::kMost);
  EXPECT_FALSE(names_.knows("no0"));
  EXPECT_EQ(names_.ask("no1"), Asked::kBefore);
}

TEST_F(AskedNamesTest, WhatCameDoesNotCount) {
  fill();
  names_.answer("no7", Found::kYes);
  EXPECT_EQ(names_.ask("one.more"), Asked::kFirst);
  EXPECT_EQ(names_.ask("two.more"), Asked::kRefused);
  // It is gone again: too many now, and the others are older.
  names_.answer("no7", Found::kNo);
  world_.run_for(AskedNames::kKept);
  EXPECT_EQ(names_.ask("two.more"), Asked::kFirst);
  EXPECT_TRUE(names_.knows("no7"));
  EXPECT_EQ(names_.names().size(), AskedNames::kMost);
}

TEST_F(AskedNamesTest, WhatIsWaitedForIsKept) {
  auto waits = std::make_shared<Noting>();
  ASSERT_EQ(names_.ask("awaited"), Asked::kFirst);
  names_.wait("awaited", asker(waits));
  for (size_t i = 1; i < AskedNames::kMost; ++i) {
    names_.ask(cat("no", i));
  }
  world_.run_for(AskedNames::kKept);
  EXPECT_EQ(names_.ask("one.more"), Asked::kFirst);
  EXPECT_TRUE(names_.knows("awaited"));
  EXPECT_FALSE(names_.knows("no1"));
  waits.reset();
  for (size_t i = 0; i < AskedNames::kMost; ++i) {
    world_.run_for(AskedNames::kKept);
    ASSERT_EQ(names_.ask(cat("new", i)), Asked::kFirst) << i;
  }
  EXPECT_FALSE(names_.knows("awaited"));
}

}  // namespace
}  // namespace sluice::server

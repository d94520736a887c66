// Layers of the runtime: who wins, what a text is read as, and what the data path sees of a change.
#include "runtime/layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

namespace sluice::runtime {
namespace {

using testing::ElementsAre;

// A directory tree in memory. Thread: the test's.
class TreeFiles final : public event::Files {
 public:
  std::map<std::string, std::string> content;
  Function<void()> changed;

  Result<std::string> read(const std::string& path) override {
    const auto found = content.find(path);
    return found == content.end() ? Result<std::string>(Error{"none"}) : Result<std::string>(found->second);
  }
  Result<std::vector<event::DirectoryEntry>> list(const std::string& path) override {
    std::map<std::string, event::DirectoryEntry::Kind> found;
    for (const auto& [name, text] : content) {
      if (!name.starts_with(path + "/")) continue;
      const std::string rest = name.substr(path.size() + 1);
      const bool file = rest.find('/') == std::string::npos;
      found[rest.substr(0, rest.find('/'))] =
          file ? event::DirectoryEntry::Kind::kFile : event::DirectoryEntry::Kind::kDirectory;
    }
    if (found.empty()) return Error{"none"};
    std::vector<event::DirectoryEntry> out;
    for (const auto& [name, kind] : found) out.push_back({kind, name});
    return out;
  }
  Result<std::shared_ptr<event::AppendFile>> open_append(const std::string&) override { return Error{"none"}; }
  Result<std::unique_ptr<event::Watch>> watch(const std::string&, Function<void()> tell) override {
    changed = std::move(tell);
    return std::make_unique<event::Watch>();
  }
  Result<void> replace(const std::string&, std::string_view) override { return Error{"none"}; }
  event::AppendCounts append_counts() const override { return {}; }
};

TEST(Runtime, LaterLayersWinAndTheAdminLayerCanBeTakenBack) {
  Layers layers;
  layers.add_static("one", {{"a", value_of_number(1)}, {"b", value_of_number(2)}});
  layers.add_static("two", {{"a", value_of_number(3)}});
  layers.add_admin("admin");
  layers.load(nullptr);
  const Number a{7, layers.key("a")};
  const Number none{7, layers.key("c")};
  EXPECT_EQ(a.now(), 3u);
  EXPECT_EQ(none.now(), 7u);
  EXPECT_THAT(layers.entries()["a"], ElementsAre("1", "3", ""));
  ASSERT_TRUE(layers.modify({{"a", "9"}, {"c", "10"}}).ok());
  EXPECT_EQ(a.now(), 9u);
  EXPECT_EQ(none.now(), 10u);
  EXPECT_TRUE(layers.overridden());
  ASSERT_TRUE(layers.modify({{"a", ""}, {"c", ""}}).ok());
  EXPECT_EQ(a.now(), 3u);
  EXPECT_EQ(none.now(), 7u);
  EXPECT_FALSE(layers.overridden());
  EXPECT_EQ(layers.keys(), 2u);
}

// In use, by malloc's account.
size_t allocated() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

TEST(Runtime, KeysThatNobodyHoldsAreForgottenAndTheOthersFollow) {
  Layers layers;
  layers.add_admin("admin");
  layers.load(nullptr);
  const Number held{7, layers.key("held")};
  const auto come_and_go = [&](int from) {
    for (int i = from; i < from + 10'000; ++i) (void)layers.key("a key that nobody holds, number " + std::to_string(i));
  };
  come_and_go(0);
  const size_t before = allocated();
  come_and_go(10'000);
  EXPECT_LE(allocated(), before + 64 * 1024);
  const Number again{7, layers.key("held")};
  EXPECT_EQ(again.key, held.key);
  ASSERT_TRUE(layers.modify({{"held", "9"}, {"a key that nobody holds, number 5", "10"}}).ok());
  EXPECT_EQ(held.now(), 9u);
  EXPECT_EQ((Number{7, layers.key("a key that nobody holds, number 5")}).now(), 10u);
}

TEST(Runtime, WithoutAnAdminLayerNothingCanBeModified) {
  Layers layers;
  layers.load(nullptr);
  EXPECT_FALSE(layers.modify({{"a", "1"}}).ok());
}

// As Envoy 1.40 read each of them for a fraction whose default is 100 percent.
TEST(Runtime, WhatATextIsForAFraction) {
  Layers layers;
  layers.add_admin("admin");
  const Fraction fraction{100, 100, "k", layers.key("k")};
  const auto never = [&](std::string text) {
    EXPECT_TRUE(layers.modify({{"k", std::move(text)}}).ok());
    return fraction.now().numerator == 0;
  };
  for (const char* text : {"0", " 0", "0 ", "0.5", "0x0", "00", "+0", "1e-3", "{\"numerator\":0}", "numerator: 0",
                           "{numerator: 0, denominator: MILLION}", "numerator: 0\ndenominator: HUNDRED"}) {
    EXPECT_TRUE(never(text)) << text;
  }
  for (const char* text :
       {"false", "true", "-1", "nan", "{numerator:0}", "numerator: x", "words", "{numerator: 0, denominator: DOZEN}"}) {
    EXPECT_FALSE(never(text)) << text;
  }
  ASSERT_TRUE(layers.modify({{"k", "250"}}).ok());
  EXPECT_TRUE(fraction.includes(99));
}

TEST(Runtime, FlagsAndDecimals) {
  Layers layers;
  layers.add_static("s",
                    {{"yes", value_of_text("TRUE")}, {"no", value_of_boolean(false)}, {"half", value_of_text("0.5")}});
  layers.load(nullptr);
  EXPECT_TRUE((Flag{false, layers.key("yes")}).now());
  EXPECT_FALSE((Flag{true, layers.key("no")}).now());
  EXPECT_TRUE((Flag{true, layers.key("half")}).now());
  EXPECT_EQ((Decimal{2, layers.key("half")}).now(), 0.5);
  EXPECT_EQ((Decimal{2, layers.key("yes")}).now(), 2);
}

TEST(Runtime, DirectoriesAreReadAgainWhenTheyChange) {
  TreeFiles files;
  files.content = {{"/r/rt/a/num", "5\n"}, {"/r/rt/a/commented", "# words\n7 \n"}, {"/r/over/mesh/a/num", "6"}};
  Layers layers;
  layers.add_disk("disk", "/r", "rt");
  layers.add_disk("over", "/r", "over/mesh");
  layers.add_disk("absent", "/r", "none");
  layers.load(&files);
  layers.watch(files);
  EXPECT_THAT(layers.names(), ElementsAre("disk", "over"));
  EXPECT_EQ(layers.find("a.commented")->text, "7");
  const Number num{0, layers.key("a.num")};
  EXPECT_EQ(num.now(), 6u);
  EXPECT_EQ(layers.counts().override_exists, 1u);
  files.content.erase("/r/over/mesh/a/num");
  files.changed();
  EXPECT_EQ(num.now(), 5u);
  EXPECT_THAT(layers.names(), ElementsAre("disk"));
  EXPECT_EQ(layers.counts().override_absent, 1u);
}

}  // namespace
}  // namespace sluice::runtime

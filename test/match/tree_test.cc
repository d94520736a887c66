#include "match/tree.h"

#include <gtest/gtest.h>

#include "match/path_template.h"
#include "match/value_matcher.h"

namespace sluice::match {
namespace {

using Data = std::map<std::string, std::string>;
using DataTree = Tree<Data>;

class KeyInput final : public Input<Data> {
 public:
  explicit KeyInput(std::string key) : key_(std::move(key)) {}
  std::string_view read(const Data& data, Space&) const override {
    const auto found = data.find(key_);
    return found == data.end() ? std::string_view() : std::string_view(found->second);
  }

 private:
  std::string key_;
};

class Named final : public Action {
 public:
  explicit Named(std::string the_name) : name(std::move(the_name)) {}
  std::string name;
};

DataTree::OnMatch action(std::string name) { return {nullptr, std::make_shared<const Named>(std::move(name))}; }
DataTree::OnMatch subtree(DataTree::Map map) {
  return {std::make_unique<const DataTree>(std::move(map), DataTree::OnMatch{}), nullptr};
}
DataTree::Predicate is(std::string key, std::string_view value) {
  DataTree::Predicate out;
  out.input = std::make_unique<KeyInput>(std::move(key));
  out.value = StringMatcher::exact(value);
  return out;
}
std::string found(const DataTree& tree, const Data& data) {
  const auto* one = static_cast<const Named*>(tree.find(data));
  return one == nullptr ? "-" : one->name;
}
DataTree::Map map_of(DataTree::Map::By by, std::string key) {
  DataTree::Map out;
  out.by = by;
  out.input = std::make_unique<KeyInput>(std::move(key));
  return out;
}

TEST(Tree, TheFirstOfAListThatFindsSomethingCounts) {
  DataTree::List list;
  DataTree::Map inner = map_of(DataTree::Map::By::kExact, "b");
  inner.values.emplace("1", action("inner"));
  list.matchers.emplace_back(is("a", "1"), subtree(std::move(inner)));
  list.matchers.emplace_back(is("a", "1"), action("second"));
  const DataTree tree(std::move(list), action("none"));
  EXPECT_EQ(found(tree, {{"a", "1"}, {"b", "1"}}), "inner");
  EXPECT_EQ(found(tree, {{"a", "1"}, {"b", "2"}}), "second");
  EXPECT_EQ(found(tree, {{"a", "2"}}), "none");
  EXPECT_EQ(found(tree, {}), "none");
}

TEST(Tree, PredicatesAreJoined) {
  DataTree::Predicate both;
  both.kind = DataTree::Predicate::Kind::kAnd;
  both.children.push_back(is("a", "1"));
  DataTree::Predicate opposite;
  opposite.kind = DataTree::Predicate::Kind::kNot;
  opposite.children.push_back(is("b", "1"));
  both.children.push_back(std::move(opposite));
  DataTree::Predicate either;
  either.kind = DataTree::Predicate::Kind::kOr;
  either.children.push_back(std::move(both));
  either.children.push_back(is("c", "1"));
  EXPECT_TRUE(either.holds({{"a", "1"}}));
  EXPECT_FALSE(either.holds({{"a", "1"}, {"b", "1"}}));
  EXPECT_TRUE(either.holds({{"b", "1"}, {"c", "1"}}));
  EXPECT_FALSE(either.holds({}));
}

TEST(Tree, ALongerPrefixIsAskedBeforeAShorterOneAndAMissGoesBackToIt) {
  DataTree::Map map = map_of(DataTree::Map::By::kPrefix, "path");
  DataTree::Map inner = map_of(DataTree::Map::By::kExact, "b");
  inner.values.emplace("1", action("deep"));
  map.values.emplace("/a/b", subtree(std::move(inner)));
  map.values.emplace("/a", action("short"));
  map.values.emplace("/b", action("other"));
  const DataTree tree(std::move(map), {});
  EXPECT_EQ(found(tree, {{"path", "/a/b/c"}, {"b", "1"}}), "deep");
  EXPECT_EQ(found(tree, {{"path", "/a/b/c"}}), "short");
  EXPECT_EQ(found(tree, {{"path", "/a/a"}}), "short");
  EXPECT_EQ(found(tree, {{"path", "/"}}), "-");
  EXPECT_EQ(found(tree, {}), "-");
}

TEST(PathTemplate, SegmentsStarsAndVariables) {
  const auto matches = [](std::string_view text, std::string_view path) {
    auto compiled = PathTemplate::compile(text);
    EXPECT_TRUE(compiled.ok()) << text;
    return compiled.ok() && compiled->matches(path);
  };
  EXPECT_TRUE(matches("/users/{user}/items/{item}", "/users/t%20m/items/7"));
  EXPECT_FALSE(matches("/users/{user}/items/{item}", "/users//items/7"));
  EXPECT_FALSE(matches("/users/{user}/items/{item}", "/users/a/b/items/7"));
  EXPECT_TRUE(matches("/one/*/end", "/one/two/end"));
  EXPECT_FALSE(matches("/one/*/end", "/one/two/three/end"));
  EXPECT_TRUE(matches("/files/{rest=**}", "/files/a/b/c.txt"));
  EXPECT_TRUE(matches("/files/{rest=**}", "/files/"));
  EXPECT_TRUE(matches("/videos/*.m4s", "/videos/1.m4s"));
  EXPECT_TRUE(matches("/**.mpd", "/a/b/c.mpd"));
  EXPECT_FALSE(matches("/**.mpd", "/a/b/cXmpd"));
  EXPECT_TRUE(matches("/{a=x/*/y}/z", "/x/1/y/z"));
  EXPECT_TRUE(matches("/v{version}.json", "/v1.json"));
  EXPECT_FALSE(matches("/v{version}.json", "/v.json"));
  EXPECT_TRUE(matches("/x{a=**}y/z", "/x1/2y/z"));
  EXPECT_TRUE(matches("/{a}x/b", "/1x/b"));
  EXPECT_TRUE(matches("/a/", "/a/"));
  EXPECT_TRUE(matches("/*", "/a*b"));
}

TEST(PathTemplate, RefusesWhatHasNoMeaning) {
  for (const char* wrong : {"",
                            "a",
                            "/{",
                            "/{}",
                            "/{1a}",
                            "/{a}/{a}",
                            "/**/*",
                            "/{a}{b}",
                            "/a b",
                            "/{seventeen_letters}",
                            "/{a}/{b}/{c}/{d}/{e}/{f}",
                            "/a}",
                            "//a",
                            "/a//b",
                            "/{a=}",
                            "/{a=/b}",
                            "/{a=b/}",
                            "/{a=b//c}",
                            "/{a=*.x}",
                            "/*x/b",
                            "/x{a}{b}",
                            "/x{a}-{b}",
                            "/x{a=*/b}",
                            "/x{a",
                            "/x{a}}",
                            "/**/{a}"}) {
    EXPECT_FALSE(PathTemplate::compile(wrong).ok()) << wrong;
  }
}

TEST(PathTemplate, RewritesWithItsVariables) {
  const PathTemplate matched = *PathTemplate::compile("/users/{user}/items/{item=**}");
  const PathRewriteTemplate rewrite = *PathRewriteTemplate::compile("/i/{item}/of/{user}", matched);
  std::string out;
  EXPECT_TRUE(rewrite.rewrite("/users/tom/items/7/8", out));
  EXPECT_EQ(out, "/i/7/8/of/tom");
  EXPECT_FALSE(rewrite.rewrite("/other", out));
  EXPECT_FALSE(PathRewriteTemplate::compile("/{nobody}", matched).ok());
  EXPECT_FALSE(PathRewriteTemplate::compile("x", matched).ok());
}

TEST(MetadataMatcher, WhatIsMissingMatchesOnlyInverted) {
  MetadataMatcher matcher{"a", {"k"}, ValueMatcher(StringMatcher::prefix("v")), false};
  Metadata metadata;
  EXPECT_FALSE(matcher.matches(nullptr));
  EXPECT_FALSE(matcher.matches(&metadata));
  matcher.invert = true;
  EXPECT_TRUE(matcher.matches(&metadata));
  metadata.set("a", "k", Value("vvv"));
  EXPECT_FALSE(matcher.matches(&metadata));
  metadata.set("a", "k", Value::number(1));
  EXPECT_TRUE(matcher.matches(&metadata));
}

}  // namespace
}  // namespace sluice::match

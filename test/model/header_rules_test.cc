// Header rules and mutations. The expectations are what Envoy was seen to do (headers/append_actions, headers/levels).
#include "model/header_rules.h"

#include <gtest/gtest.h>

#include "model/header_mutations.h"
#include "test/model/messages.h"

namespace sluice::model {
namespace {

using ::testing::Test;
using Lines = std::vector<std::string>;

class HeaderRulesTest : public ModelTest {
 protected:
  HeaderRules rules_;
};

TEST_F(HeaderRulesTest, FourActions) {
  rules_.add.push_back(rule("x-app", "new", AppendAction::kAppendIfExistsOrAdd));
  rules_.add.push_back(rule("x-add", "new", AppendAction::kAddIfAbsent));
  rules_.add.push_back(rule("x-over", "new", AppendAction::kOverwriteIfExistsOrAdd));
  rules_.add.push_back(rule("x-exist", "new", AppendAction::kOverwriteIfExists));

  auto& absent = request("/");
  rules_.apply(absent, facts_);
  EXPECT_EQ(lines(absent.fields, "x-app"), Lines{"new"});
  EXPECT_EQ(lines(absent.fields, "x-add"), Lines{"new"});
  EXPECT_EQ(lines(absent.fields, "x-over"), Lines{"new"});
  EXPECT_EQ(lines(absent.fields, "x-exist"), Lines{});

  auto& twice = request("/", "h",
                        {{"x-app", "a"},
                         {"x-app", "b"},
                         {"x-add", "a"},
                         {"x-add", "b"},
                         {"x-over", "a"},
                         {"x-over", "b"},
                         {"x-exist", "a"},
                         {"x-exist", "b"}});
  rules_.apply(twice, facts_);
  EXPECT_EQ(lines(twice.fields, "x-app"), (Lines{"a", "b", "new"}));
  EXPECT_EQ(lines(twice.fields, "x-add"), (Lines{"a", "b"}));
  EXPECT_EQ(lines(twice.fields, "x-over"), Lines{"new"});
  EXPECT_EQ(lines(twice.fields, "x-exist"), Lines{"new"});
}

TEST_F(HeaderRulesTest, RemovalsComeFirst) {
  rules_.remove = {"x-up", "cookie"};
  rules_.add.push_back(rule("x-up", "again"));
  auto& headers = request("/", "h", {{"x-up", "one"}, {"x-up", "two"}, {"cookie", "a=b"}});
  rules_.apply(headers, facts_);
  EXPECT_EQ(lines(headers.fields, "x-up"), Lines{"again"});
  EXPECT_EQ(lines(headers.fields, "cookie"), Lines{});
}

TEST_F(HeaderRulesTest, RulesOfOneLevelDoNotSeeEachOther) {
  rules_.add.push_back(rule("x-a", "1", AppendAction::kOverwriteIfExistsOrAdd));
  rules_.add.push_back(rule("x-b", "%REQ(x-a)%"));
  rules_.add.push_back(rule("x-a", "2", AppendAction::kAddIfAbsent));
  auto& headers = request("/", "h", {{"x-a", "0"}});
  rules_.apply(headers, facts_);
  EXPECT_EQ(lines(headers.fields, "x-b"), Lines{"0"});
  EXPECT_EQ(lines(headers.fields, "x-a"), Lines{"1"});
}

TEST_F(HeaderRulesTest, AnEmptyValueChangesNothingUnlessItIsWanted) {
  rules_.add.push_back(rule("x-none", "%REQ(x-not-there)%"));
  rules_.add.push_back(rule("x-old", "%REQ(x-not-there)%", AppendAction::kOverwriteIfExistsOrAdd));
  rules_.add.push_back(rule("x-kept", "%REQ(x-not-there)%", AppendAction::kAppendIfExistsOrAdd, true));
  auto& headers = request("/", "h", {{"x-old", "old"}});
  rules_.apply(headers, facts_);
  EXPECT_EQ(lines(headers.fields, "x-none"), Lines{});
  EXPECT_EQ(lines(headers.fields, "x-old"), Lines{"old"});
  EXPECT_EQ(lines(headers.fields, "x-kept"), Lines{""});
}

TEST_F(HeaderRulesTest, ListsOfOneLineAreExtended) {
  rules_.add.push_back(rule("accept", "extra/x"));
  rules_.add.push_back(rule("cookie", "added=1"));
  auto& headers = request("/", "h", {{"accept", "text/plain"}, {"cookie", "a=1"}});
  rules_.apply(headers, facts_);
  EXPECT_EQ(lines(headers.fields, "accept"), Lines{"text/plain,extra/x"});
  EXPECT_EQ(lines(headers.fields, "cookie"), (Lines{"a=1", "added=1"}));
}

// The lines of an answer are not joined when its rules are applied.
TEST_F(HeaderRulesTest, SeveralLinesOfAListAreExtendedAtTheEnd) {
  rules_.add = {rule("vary", "new"), rule("x-list", "new"),
                rule("x-empty", "", AppendAction::kAppendIfExistsOrAdd, true)};
  for (HeaderRule& each : rules_.add) each.joins = true;
  auto& message = request("/", "h",
                          {{"vary", "a"},
                           {"x-list", "a"},
                           {"vary", ""},
                           {"x-list", "b"},
                           {"vary", "b,c"},
                           {"x-empty", ""},
                           {"x-empty", "a"}});
  rules_.apply(message, facts_);
  EXPECT_EQ(lines(message.fields, "vary"), Lines{"a,b,c,new"});
  EXPECT_EQ(lines(message.fields, "x-list"), Lines{"a,b,new"});
  EXPECT_EQ(lines(message.fields, "x-empty"), Lines{"a"});
}

TEST_F(HeaderRulesTest, MutationsSeeEachOther) {
  HeaderMutations mutations;
  mutations.list.push_back(rule("x-a", "1", AppendAction::kOverwriteIfExistsOrAdd));
  mutations.list.push_back(rule("x-b", "%REQ(x-a)%"));
  mutations.list.push_back(RemoveHeader{"x-gone"});
  mutations.list.push_back(RemoveMatchingHeaders{match::StringMatcher::prefix("x-secret-")});
  auto& headers = request("/", "h", {{"x-a", "0"}, {"x-gone", "1"}, {"x-secret-a", "1"}, {"x-secret", "2"}});
  mutations.apply(headers.fields, facts_);
  EXPECT_EQ(lines(headers.fields, "x-b"), Lines{"1"});
  EXPECT_EQ(lines(headers.fields, "x-gone"), Lines{});
  EXPECT_EQ(lines(headers.fields, "x-secret-a"), Lines{});
  EXPECT_EQ(lines(headers.fields, "x-secret"), Lines{"2"});
}

}  // namespace
}  // namespace sluice::model

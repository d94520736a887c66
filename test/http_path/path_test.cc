// Paths, queries and hosts. Most expectations are what Envoy was seen to do (test/conformance/behaviour).
#include "http/path.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

// Memory for one test.
class PathTest : public ::testing::Test {
 protected:
  std::string normalized(std::string_view target) {
    const auto path = normalize_path(target, arena_);
    return path ? std::string(*path) : "(refused)";
  }

  Owner owner_{"test"};
  ChunkPool pool_{owner_};
  Arena arena_{pool_};
};

TEST_F(PathTest, SplitsTargets) {
  EXPECT_EQ(split_target("/a?b?c").path, "/a");
  EXPECT_EQ(split_target("/a?b?c").query, "b?c");
  EXPECT_EQ(split_target("/a").query, "");
  EXPECT_EQ(split_target("/a#f?x").path, "/a");
  EXPECT_EQ(split_target("/a#f?x").query, "");
  EXPECT_EQ(split_target("/a?x#f").query, "x");
}

TEST_F(PathTest, FindsTheFirstParameterRaw) {
  EXPECT_EQ(query_parameter("k=w&k=v", "k"), "w");
  EXPECT_EQ(query_parameter("a=b&k=v&c", "k"), "v");
  EXPECT_EQ(query_parameter("k=v=w", "k"), "v=w");
  EXPECT_EQ(query_parameter("k=%76", "k"), "%76");
  EXPECT_EQ(query_parameter("k", "k"), "");
  EXPECT_EQ(query_parameter("k=", "k"), "");
  EXPECT_EQ(query_parameter("a=?k=v", "k"), std::nullopt);
  EXPECT_EQ(query_parameter("kk=v", "k"), std::nullopt);
  EXPECT_EQ(query_parameter("", "k"), std::nullopt);
}

TEST_F(PathTest, CutsParametersOfSegments) {
  EXPECT_EQ(without_parameters("/one;v=1", arena_), "/one");
  EXPECT_EQ(without_parameters("/pre;a=1/x", arena_), "/pre/x");
  EXPECT_EQ(without_parameters("/a;b/c;d;e/f", arena_), "/a/c/f");
  const std::string_view plain = "/a/b";
  EXPECT_EQ(without_parameters(plain, arena_).data(), plain.data());
}

TEST_F(PathTest, ResolvesDotSegments) {
  EXPECT_EQ(normalized("/x/../admin/keys"), "/admin/keys");
  EXPECT_EQ(normalized("/x/%2e%2E/admin"), "/admin");
  EXPECT_EQ(normalized("/a/./b/../c/?q=/../x%2e"), "/a/c/?q=/../x%2e");
  EXPECT_EQ(normalized("/a//b///c"), "/a//b///c");
  EXPECT_EQ(normalized("/a//../b"), "/a/b");
  EXPECT_EQ(normalized("/.."), "/");
  EXPECT_EQ(normalized("/../../x"), "/x");
  EXPECT_EQ(normalized("/a/b/.."), "/a/");
  EXPECT_EQ(normalized("/a/."), "/a/");
  EXPECT_EQ(normalized("/a/.b/..c/d."), "/a/.b/..c/d.");
  EXPECT_EQ(normalized("/a/%2e%2e"), "/");
  EXPECT_EQ(normalized("/a/.%2e/b"), "/b");
}

TEST_F(PathTest, UnescapesOnlyWhatIsUnreserved) {
  EXPECT_EQ(normalized("/%61dmin/%7euser/%E4%B8%AD%zz"), "/admin/~user/%E4%B8%AD%zz");
  EXPECT_EQ(normalized("/a%2fb/..%2fadmin"), "/a%2fb/..%2fadmin");
  EXPECT_EQ(normalized("/a%252fb"), "/a%252fb");
  EXPECT_EQ(normalized("/a%2Eb"), "/a.b");
  EXPECT_EQ(normalized("/%"), "/%");
  EXPECT_EQ(normalized("/%4"), "/%4");
}

TEST_F(PathTest, EscapesAndTurnsBackslashes) {
  EXPECT_EQ(normalized("/x\\..\\admin"), "/admin");
  EXPECT_EQ(normalized("/a\"b<c>"), "/a%22b%3Cc%3E");
  EXPECT_EQ(normalized("/\xc3\xa4"), "/%C3%A4");
  EXPECT_EQ(normalized("/a;p=1/../b"), "/b");
}

TEST_F(PathTest, RefusesNul) {
  EXPECT_EQ(normalized(std::string_view("/a\0b", 4)), "(refused)");
  EXPECT_EQ(normalized("/a%00b"), "(refused)");
}

TEST_F(PathTest, LeavesCleanPathsWhereTheyAre) {
  const std::string_view clean = "/a/b-c_d~e.f/g;h=1,2?x=%2f";
  EXPECT_EQ(normalize_path(clean, arena_)->data(), clean.data());
  EXPECT_EQ(merge_slashes(clean, arena_).data(), clean.data());
  EXPECT_EQ(unescape_slashes(clean, arena_).data(), clean.data());
}

TEST_F(PathTest, MergesSlashes) {
  EXPECT_EQ(merge_slashes("//admin//x", arena_), "/admin/x");
  EXPECT_EQ(merge_slashes("/a///b//?q=//x", arena_), "/a/b/?q=//x");
  EXPECT_EQ(merge_slashes("//", arena_), "/");
  EXPECT_EQ(merge_slashes("/a/%2f/b", arena_), "/a/%2f/b");
}

TEST_F(PathTest, UnescapesSlashes) {
  EXPECT_EQ(unescape_slashes("/x%2f..%2Fadmin", arena_), "/x/../admin");
  EXPECT_EQ(unescape_slashes("/x%5c..%5Cadmin", arena_), "/x\\..\\admin");
  EXPECT_EQ(unescape_slashes("/%61%2f?q=%2f", arena_), "/%61/?q=%2f");
  EXPECT_EQ(unescape_slashes("/a%252fb", arena_), "/a%252fb");
}

struct RulesCase {
  PathRules rules;
  std::string_view target;
  PathVerdict verdict;
  std::string_view result;
};

TEST_F(PathTest, AppliesTheRulesInEnvoysOrder) {
  const PathRules all{true, true, EscapedSlashes::kUnescapeAndForward, Fragment::kReject};
  const PathRules redirect{true, false, EscapedSlashes::kUnescapeAndRedirect, Fragment::kReject};
  const PathRules reject{false, false, EscapedSlashes::kReject, Fragment::kReject};
  const PathRules strip{false, false, EscapedSlashes::kKeep, Fragment::kStrip};
  for (const RulesCase& c : std::initializer_list<RulesCase>{
           {{}, "/x/../admin", PathVerdict::kContinue, "/x/../admin"},
           {{}, "/a#b", PathVerdict::kReject, "/a#b"},
           {{}, "/a?q#b", PathVerdict::kReject, "/a?q#b"},
           {strip, "/a?q=1#b", PathVerdict::kContinue, "/a?q=1"},
           {all, "/x%2f..%2Fadmin", PathVerdict::kContinue, "/admin"},
           {all, "/%2f%2fadmin", PathVerdict::kContinue, "/admin"},
           {all, "/x/..;/admin", PathVerdict::kContinue, "/admin"},
           {all, "/x/..;a=b/admin", PathVerdict::kContinue, "/admin"},
           {all, "/x/.;/admin", PathVerdict::kContinue, "/x/admin"},
           {all, "/x/..;", PathVerdict::kContinue, "/"},
           {all, "/x/%2e%2e;/admin", PathVerdict::kContinue, "/admin"},
           {all, "/x/...;/admin", PathVerdict::kContinue, "/x/...;/admin"},
           {all, "/a;b/c", PathVerdict::kContinue, "/a;b/c"},
           {redirect, "/x%2f..%2Fadmin?q=%2f", PathVerdict::kRedirect, "/admin?q=%2f"},
           {redirect, "/x/../plain", PathVerdict::kContinue, "/plain"},
           {reject, "/a%2Fb", PathVerdict::kReject, "/a/b"},
           {reject, "/a?%2F", PathVerdict::kContinue, "/a?%2F"},
       }) {
    std::string_view target = c.target;
    EXPECT_EQ(apply_path_rules(c.rules, target, arena_), c.verdict) << c.target;
    EXPECT_EQ(target, c.result);
  }
}

TEST_F(PathTest, SplitsHosts) {
  EXPECT_EQ(split_host("a:80").host, "a");
  EXPECT_EQ(split_host("a:80").port, "80");
  EXPECT_EQ(split_host("[::1]:80").host, "[::1]");
  EXPECT_EQ(split_host("[::1]").host, "[::1]");
  EXPECT_EQ(split_host("[::1]").port.data(), nullptr);
  EXPECT_EQ(split_host("a").port.data(), nullptr);
  EXPECT_EQ(port_of("a:8080"), 8080);
  EXPECT_EQ(port_of("a:x"), std::nullopt);
  EXPECT_EQ(port_of("a:70000"), std::nullopt);
}

TEST_F(PathTest, StripsPortsAndDots) {
  EXPECT_EQ(strip_port("one.test:8081"), "one.test");
  EXPECT_EQ(strip_port("one.test:"), "one.test:");
  EXPECT_EQ(strip_port("one.test:x"), "one.test:x");
  EXPECT_EQ(strip_port("[::1]:99"), "[::1]");
  EXPECT_EQ(strip_port("one.test:8081", 8081), "one.test");
  EXPECT_EQ(strip_port("one.test:8081", 80), "one.test:8081");
  EXPECT_EQ(strip_trailing_dot("one.test.", arena_), "one.test");
  EXPECT_EQ(strip_trailing_dot("one.test.:99", arena_), "one.test:99");
  EXPECT_EQ(strip_trailing_dot("one.test..", arena_), "one.test.");
  EXPECT_EQ(strip_trailing_dot("one.test:99", arena_), "one.test:99");
}

}  // namespace
}  // namespace sluice::http

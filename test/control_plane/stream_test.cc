// One client's stream: what it asks, and what it is told when the world changes.
#include "tools/control_plane/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace sluice::control_plane {
namespace {

using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;
using envoy::service::discovery::v3::DiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryResponse;
using testing::ElementsAre;
using testing::IsEmpty;
using Names = std::vector<std::string>;

constexpr auto kClusters = ResourceType::kCluster;
constexpr auto kEndpoints = ResourceType::kEndpoints;
constexpr auto kListeners = ResourceType::kListener;
constexpr auto kRoutes = ResourceType::kRoutes;

// NAME or NAME=CONTENT; a cluster's endpoints have its name. The body is the name, so that responses can be read.
ResourcePtr resource(ResourceType type, const std::string& text) {
  auto out = std::make_shared<ServedResource>();
  out->type = type;
  out->name = text.substr(0, text.find('='));
  out->version = text;
  out->body = out->name;
  if (type == kClusters) {
    out->references.push_back({kEndpoints, out->name, "here"});
  }
  return out;
}

World world(const Names& clusters, const Names& routes, const Names& endpoints = {}) {
  std::vector<ResourcePtr> all;
  for (const auto& [type, names] : {std::pair{kClusters, clusters}, {kRoutes, routes}, {kEndpoints, endpoints}}) {
    for (const std::string& name : names) {
      all.push_back(resource(type, name));
    }
  }
  return {make_snapshot(all, {}), {}};
}

// The client's side. Thread: the test's.
class Talk {
 public:
  explicit Talk(Protocol protocol, World first) : world(std::move(first)), stream(protocol, {}) {}

  // "CDS a b -gone #1": resources, what is gone, nonce.
  std::vector<std::string> responses() {
    std::vector<std::string> out;
    while (const auto bytes = stream.next_response()) {
      out.push_back(stream.protocol() == Protocol::kSotw ? sotw(*bytes) : delta(*bytes));
    }
    return out;
  }

  void ask(ResourceType type, const Names& names = {}, const std::string& nonce = {}, const std::string& error = {}) {
    DiscoveryRequest request;
    request.mutable_node()->set_id("n");
    request.set_type_url(std::string(xds::names_of(type).type_url));
    request.set_response_nonce(nonce);
    request.mutable_resource_names()->Assign(names.begin(), names.end());
    if (!error.empty()) {
      request.mutable_error_detail()->set_message(error);
    }
    EXPECT_EQ(stream.on_request(request.SerializeAsString(), world), "");
  }

  void change(ResourceType type, const Names& subscribe, const Names& unsubscribe = {}, const std::string& nonce = {},
              const std::map<std::string, std::string>& held = {}) {
    DeltaDiscoveryRequest request;
    request.mutable_node()->set_id("n");
    request.set_type_url(std::string(xds::names_of(type).type_url));
    request.set_response_nonce(nonce);
    request.mutable_resource_names_subscribe()->Assign(subscribe.begin(), subscribe.end());
    request.mutable_resource_names_unsubscribe()->Assign(unsubscribe.begin(), unsubscribe.end());
    request.mutable_initial_resource_versions()->insert(held.begin(), held.end());
    EXPECT_EQ(stream.on_request(request.SerializeAsString(), world), "");
  }

  void set(World next) {
    world = std::move(next);
    stream.on_world(world);
  }

  World world;
  Stream stream;

 private:
  static std::string head(const std::string& type_url) {
    return std::string(xds::names_of(*xds::type_of(type_url)).acronym);
  }
  static std::string sotw(const std::string& bytes) {
    DiscoveryResponse response;
    EXPECT_TRUE(response.ParseFromString(bytes));
    std::string out = head(response.type_url());
    for (const auto& any : response.resources()) {
      append(out, " ", any.value());
    }
    return cat(out, " #", response.nonce());
  }
  static std::string delta(const std::string& bytes) {
    DeltaDiscoveryResponse response;
    EXPECT_TRUE(response.ParseFromString(bytes));
    std::string out = head(response.type_url());
    for (const auto& one : response.resources()) {
      append(out, " ", one.name());
      EXPECT_EQ(one.resource().value(), one.name());
    }
    for (const std::string& name : response.removed_resources()) {
      append(out, " -", name);
    }
    return cat(out, " #", response.nonce());
  }
};

TEST(Stream, TheFirstRequestMustSayWhoItIs) {
  Stream stream(Protocol::kSotw, {});
  DiscoveryRequest request;
  request.set_type_url(std::string(xds::names_of(kClusters).type_url));
  EXPECT_EQ(stream.on_request(request.SerializeAsString(), world({"a"}, {})), "the first request must have a node");
  EXPECT_EQ(stream.on_request("\xff\xff", world({"a"}, {})), "these bytes are no discovery request");
  EXPECT_FALSE(stream.next_response());
}

TEST(Stream, AStreamOfOneTypeRefusesOthers) {
  Stream stream(Protocol::kSotw, kClusters);
  DiscoveryRequest request;
  request.mutable_node()->set_id("n");
  request.set_type_url(std::string(xds::names_of(kRoutes).type_url));
  EXPECT_THAT(stream.on_request(request.SerializeAsString(), world({"a"}, {})),
              testing::HasSubstr("this stream is for"));
}

TEST(Stream, WhoAsksForTooManyNamesIsNoClient) {
  Stream stream(Protocol::kSotw, {});
  DiscoveryRequest request;
  request.mutable_node()->set_id("n");
  request.set_type_url(std::string(xds::names_of(kRoutes).type_url));
  for (size_t i = 0; i <= Stream::kMostNames; ++i) {
    request.add_resource_names(cat(i));
  }
  EXPECT_EQ(stream.on_request(request.SerializeAsString(), world({}, {})), "too many names");
}

TEST(Stream, NodesHaveTheirFolders) {
  World all = world({"everybody"}, {});
  all.folders["one"] = world({"one"}, {}).everybody;
  all.folders["group"] = world({"group"}, {}).everybody;
  EXPECT_EQ(all.snapshot_for("one", "group"), all.folders["one"]);
  EXPECT_EQ(all.snapshot_for("two", "group"), all.folders["group"]);
  EXPECT_EQ(all.snapshot_for("two", "other"), all.everybody);
}

// ---- state of the world

TEST(SotwStream, NothingAskedMeansAllClustersAndNoRoutes) {
  Talk talk(Protocol::kSotw, world({"a", "b"}, {"r", "s"}));
  talk.ask(kClusters);
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a b #1"));
  talk.ask(kClusters, {}, "1");
  talk.ask(kRoutes);
  EXPECT_THAT(talk.responses(), IsEmpty());
  talk.ask(kRoutes, {"s"});
  EXPECT_THAT(talk.responses(), ElementsAre("RDS s #2"));
  talk.ask(kRoutes, {"s", "r"}, "2");
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #3"));
}

TEST(SotwStream, NothingIsAnAnswerToo) {
  Talk talk(Protocol::kSotw, world({}, {}));
  talk.ask(kClusters);
  EXPECT_THAT(talk.responses(), ElementsAre("CDS #1"));
}

TEST(SotwStream, AnAnswerToAnOlderResponseSaysNothing) {
  Talk talk(Protocol::kSotw, world({"a"}, {}));
  talk.ask(kClusters);
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a #1"));
  talk.ask(kClusters, {"b"}, "0");
  EXPECT_THAT(talk.responses(), IsEmpty());
  EXPECT_TRUE(talk.stream.state(kClusters).waiting);
}

TEST(SotwStream, WhatWasRefusedIsToldAndNotSentAgain) {
  Talk talk(Protocol::kSotw, world({"a"}, {}));
  talk.ask(kClusters);
  talk.responses();
  talk.ask(kClusters, {}, "1", "a is bad");
  EXPECT_THAT(talk.responses(), IsEmpty());
  EXPECT_EQ(talk.stream.state(kClusters).error, "a is bad");
  EXPECT_EQ(talk.stream.state(kClusters).acked_version, "");
  talk.set(world({"a=better"}, {}));
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a #2"));
  talk.ask(kClusters, {}, "2");
  EXPECT_EQ(talk.stream.state(kClusters).error, "");
  EXPECT_EQ(talk.stream.state(kClusters).acked_version, talk.stream.state(kClusters).sent_version);
  EXPECT_EQ(talk.stream.state(kClusters).nacks, 1u);
}

TEST(SotwStream, WhoIsSlowGetsTheNewestOnly) {
  Talk talk(Protocol::kSotw, world({"a=1"}, {}));
  talk.ask(kClusters);
  talk.responses();
  talk.set(world({"a=2"}, {}));
  talk.set(world({"a=3", "b"}, {}));
  EXPECT_THAT(talk.responses(), IsEmpty());
  talk.ask(kClusters, {}, "1");
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a b #2"));
}

TEST(SotwStream, TheNewIsMadeBeforeItIsUsedAndTheOldGoesLast) {
  Talk talk(Protocol::kSotw, world({"a"}, {"r=a"}, {"a"}));
  talk.ask(kClusters);
  talk.ask(kEndpoints, {"a"});
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a #1", "EDS a #2"));
  talk.ask(kRoutes, {"r"});
  EXPECT_THAT(talk.responses(), IsEmpty());
  talk.ask(kClusters, {}, "1");
  talk.ask(kEndpoints, {"a"}, "2");
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #3"));
  talk.ask(kRoutes, {"r"}, "3");
  EXPECT_THAT(talk.responses(), IsEmpty());
  EXPECT_TRUE(talk.stream.in_force());

  talk.set(world({"b"}, {"r=b"}, {"b"}));
  EXPECT_THAT(talk.responses(), ElementsAre("CDS b a #4"));
  EXPECT_FALSE(talk.stream.in_force());
  talk.ask(kEndpoints, {"a", "b"}, "2");
  EXPECT_THAT(talk.responses(), ElementsAre("EDS b #5"));
  talk.ask(kEndpoints, {"a", "b"}, "5");
  EXPECT_THAT(talk.responses(), IsEmpty());  // the new cluster is not warm yet
  talk.ask(kClusters, {}, "4");
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #6"));
  talk.ask(kRoutes, {"r"}, "6");
  EXPECT_THAT(talk.responses(), ElementsAre("CDS b #7"));
  talk.ask(kClusters, {}, "7");
  EXPECT_THAT(talk.responses(), IsEmpty());
  EXPECT_TRUE(talk.stream.in_force());
}

TEST(SotwStream, AChangeInTheMiddleOfAnotherKeepsWhatIsInUse) {
  Talk talk(Protocol::kSotw, world({"a"}, {"r=a"}));
  talk.ask(kClusters);
  talk.ask(kRoutes, {"r"});
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a #1"));
  talk.ask(kClusters, {}, "1");
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #2"));
  talk.ask(kRoutes, {"r"}, "2");
  talk.responses();
  talk.set(world({"b"}, {"r=b"}));
  EXPECT_THAT(talk.responses(), ElementsAre("CDS b a #3"));
  talk.set(world({"c"}, {"r=c"}));
  talk.ask(kClusters, {}, "3");
  EXPECT_THAT(talk.responses(), ElementsAre("CDS c a b #4"));
  talk.ask(kClusters, {}, "4");
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #5"));
  talk.ask(kRoutes, {"r"}, "5");
  EXPECT_THAT(talk.responses(), ElementsAre("CDS c #6"));
}

TEST(SotwStream, AClusterThatChangesHasItsEndpointsSentAgain) {
  Talk talk(Protocol::kSotw, world({"a", "b"}, {}, {"a", "b"}));
  talk.ask(kClusters);
  talk.ask(kEndpoints, {"a", "b"});
  talk.responses();
  talk.ask(kClusters, {}, "1");
  talk.ask(kEndpoints, {"a", "b"}, "2");
  talk.responses();
  talk.set(world({"a=other", "b"}, {}, {"a", "b"}));
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a b #3", "EDS a #4"));
}

// ---- delta

TEST(DeltaStream, OnlyWhatChangesIsSent) {
  Talk talk(Protocol::kDelta, world({"a", "b"}, {}));
  talk.change(kClusters, {});
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a b #1"));
  talk.change(kClusters, {}, {}, "1");
  EXPECT_THAT(talk.responses(), IsEmpty());
  talk.set(world({"a=2", "b"}, {}));
  EXPECT_THAT(talk.responses(), ElementsAre("CDS a #2"));
}

TEST(DeltaStream, WhatIsHeldIsNotSentAgain) {
  Talk talk(Protocol::kDelta, world({"a", "b=2"}, {}));
  talk.change(kClusters, {}, {}, "", {{"a", "a"}, {"b", "b=1"}, {"c", "c"}});
  EXPECT_THAT(talk.responses(), ElementsAre("CDS b #1"));
  talk.change(kClusters, {}, {}, "1");
  EXPECT_THAT(talk.responses(), ElementsAre("CDS -c #2"));  // once nothing can refer to it any more
}

TEST(DeltaStream, OfNamesThatDoNotExistThatIsToldOnce) {
  Talk talk(Protocol::kDelta, world({}, {"r"}));
  talk.change(kRoutes, {"r", "s"});
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r -s #1"));
  talk.change(kRoutes, {}, {}, "1");
  EXPECT_THAT(talk.responses(), IsEmpty());
  talk.set(world({}, {"r", "s"}));
  EXPECT_THAT(talk.responses(), ElementsAre("RDS s #2"));
}

TEST(DeltaStream, WhoAsksAgainHasItSentAgain) {
  Talk talk(Protocol::kDelta, world({}, {"r", "s"}));
  talk.change(kRoutes, {"r", "s"});
  talk.responses();
  talk.change(kRoutes, {"r"}, {}, "1");
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #2"));
  talk.change(kRoutes, {}, {"r", "s"}, "2");
  talk.set(world({}, {"r=2", "s=2"}));
  EXPECT_THAT(talk.responses(), IsEmpty());
  talk.change(kRoutes, {"s"});
  EXPECT_THAT(talk.responses(), ElementsAre("RDS s #3"));
}

TEST(DeltaStream, TheNewIsMadeBeforeItIsUsedAndTheOldGoesLast) {
  Talk talk(Protocol::kDelta, world({"a"}, {"r=a"}));
  talk.change(kClusters, {});
  talk.responses();
  talk.change(kClusters, {}, {}, "1");
  talk.change(kRoutes, {"r"});
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #2"));
  talk.change(kRoutes, {}, {}, "2");
  talk.responses();
  talk.set(world({"b"}, {"r=b"}));
  EXPECT_THAT(talk.responses(), ElementsAre("CDS b #3"));
  talk.change(kClusters, {}, {}, "3");
  EXPECT_THAT(talk.responses(), ElementsAre("RDS r #4"));
  talk.change(kRoutes, {}, {}, "4");
  EXPECT_THAT(talk.responses(), ElementsAre("CDS -a #5"));
}

}  // namespace
}  // namespace sluice::control_plane

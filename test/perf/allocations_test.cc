// A kept connection serves requests without touching the heap: what an exchange needs comes from free lists of its
// worker, which grow to what is in use at once.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "base/strings.h"
#include "net/uv_socket.h"
#include "test/perf/request_rig.h"
#include "test/xds/rig/rig.h"

namespace {
bool counting = false;
uint64_t allocations = 0;
}  // namespace

#ifdef SLUICE_COUNTS_ALLOCATIONS
// The linker turns all calls of our own code into these (--wrap, CMakeLists.txt); operator new comes here as well.
extern "C" {
void* __real_malloc(size_t bytes);
void* __real_calloc(size_t count, size_t bytes);
void* __real_realloc(void* memory, size_t bytes);
void* __wrap_malloc(size_t bytes) {
  allocations += counting ? 1 : 0;
  return __real_malloc(bytes);
}
void* __wrap_calloc(size_t count, size_t bytes) {
  allocations += counting ? 1 : 0;
  return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* memory, size_t bytes) {
  allocations += counting ? 1 : 0;
  return __real_realloc(memory, bytes);
}
}

// Not inlined: g++ would take them for a pair that does not match.
[[gnu::noinline]] void* operator new(size_t bytes) {
  void* memory = __wrap_malloc(bytes);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace sluice::test {
namespace {

constexpr int kWarmUp = 100;
constexpr int kCounted = 1'000;

std::string answer(size_t size) {
  return cat("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ", size, "\r\n\r\n",
             std::string(size, 'a'));
}

std::string chunked_answer() {
  return cat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n", std::string(512, 'a'), "\r\n0\r\n\r\n");
}

// How many allocations so many exchanges in the steady state make.
uint64_t count(const std::string& request, const std::string& response, std::string_view end_of_body = "a") {
  RequestRig rig(rig_config(1, 1));
  EXPECT_EQ(rig.error, "");
  for (int i = 0; i < kWarmUp; ++i) {
    rig.exchange(request, response);
    EXPECT_TRUE(rig.served(end_of_body));
  }
  allocations = 0;
  counting = true;
  bool good = true;
  for (int i = 0; i < kCounted; ++i) {
    rig.exchange(request, response);
    good = rig.served(end_of_body) && good;
  }
  counting = false;
  EXPECT_TRUE(good) << rig.received();
  return allocations;
}

class Allocations : public testing::Test {
 protected:
  void SetUp() override {
#ifndef SLUICE_COUNTS_ALLOCATIONS
    GTEST_SKIP() << "a sanitizer's allocator cannot be counted";
#endif
  }
};

TEST_F(Allocations, TheCounterCounts) {
  allocations = 0;
  counting = true;
  auto* text = new std::string(1'000, 'a');
  counting = false;
  delete text;
  EXPECT_GE(allocations, 2u);
}

TEST_F(Allocations, NoneForAGet) {
  EXPECT_EQ(count("GET /a?b=c HTTP/1.1\r\nHost: bench.local\r\nAccept: */*\r\n\r\n", answer(512)), 0u);
}

TEST_F(Allocations, NoneForAPost) {
  EXPECT_EQ(
      count(cat("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10240\r\n\r\n", std::string(10'240, 'b')), answer(512)),
      0u);
}

TEST_F(Allocations, NoneForALargeBody) {
  EXPECT_EQ(count("GET / HTTP/1.1\r\nHost: bench.local\r\n\r\n", answer(102'400)), 0u);
}

TEST_F(Allocations, NoneForChunks) {
  EXPECT_EQ(count("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                  chunked_answer(), "a\r\n0\r\n\r\n"),
            0u);
}

TEST_F(Allocations, NoneForManyFields) {
  std::string request = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 90; ++i) {
    request += cat("X-Field-", i, ": a value\r\n");
  }
  EXPECT_EQ(count(request + "\r\n", answer(10)), 0u);
}

// What the arrival of one changed assignment makes among so many that a control plane was asked for.
uint64_t count_change(xds::Options::Protocol protocol, int endpoints) {
  constexpr auto kEndpoints = config::ResourceType::kEndpoints;
  Rig rig(protocol);
  NotingUser user;
  std::vector<std::unique_ptr<config::Subscription>> subscriptions;
  std::vector<Res> all;
  for (int i = 0; i < endpoints; ++i) {
    all.push_back(Res{.name = cat("service-", 10'000 + i)});
    subscriptions.push_back(rig.plane.subscribe(Rig::named(kEndpoints, {all.back().name}), user));
  }
  rig.send(kEndpoints, "1", all);
  rig.send(kEndpoints, "2", {all[3]});
  user.take();
  rig.sent();
  allocations = 0;
  counting = true;
  rig.send(kEndpoints, "3", {all[3]});
  counting = false;
  EXPECT_EQ(user.take().size(), 1u);
  EXPECT_EQ(rig.sent().size(), 1u);  // its answer, with all names in the state of the world
  return allocations;
}

// A few more: what holds the messages in the test grows.
TEST_F(Allocations, AChangeOfOneAssignmentCostsTheSameAmongMany) {
  for (const auto protocol : {xds::Options::Protocol::kSotw, xds::Options::Protocol::kDelta}) {
    EXPECT_LE(count_change(protocol, 1'000), count_change(protocol, 10) + 5);
  }
}

// What malloc takes for an object of so many bytes.
constexpr size_t chunk(size_t bytes) { return (bytes + 8 + 15) / 16 * 16; }

// What the process has more for each further client that asked once and stays, with a socket in place of the rig's
// pipe. A member more in what every connection has (DownstreamConnection, Accepted, the codec of HTTP/1, UvSocket) is
// seen here; a rare one belongs behind a pointer.
TEST_F(Allocations, AnIdleConnectionHoldsLittle) {
  constexpr int kClients = 500;
  const std::string request = "GET / HTTP/1.1\r\nHost: bench.local\r\n\r\n";
  const std::string response = answer(512);
  RequestRig rig(rig_config(1, 1));
  ASSERT_EQ(rig.error, "");
  size_t before = 0;
  for (int i = -kWarmUp; i < kClients; ++i) {
    if (i == 0) before = mallinfo2().uordblks;
    rig.next_client();
    rig.exchange(request, response);
    ASSERT_TRUE(rig.served("a"));
  }
  const size_t held = (mallinfo2().uordblks - before) / kClients;
  EXPECT_LE(held - chunk(sizeof(RigPipe)) + chunk(sizeof(net::UvSocket)), 992u);
}

}  // namespace
}  // namespace sluice::test

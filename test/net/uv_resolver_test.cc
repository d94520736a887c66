// The resolver against a small DNS server on loopback.
#include "net/uv_resolver.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "test/net/uv_loopback.h"

namespace sluice::net {
namespace {

using namespace std::chrono_literals;
using Status = DnsAnswer::Status;

// Answers by the first letter of the name: a: 192.0.2.1 and 192.0.2.2 for A, nothing for AAAA; b: both families;
// n: no such name; f: server failure; g: garbage; others: silence. Thread: its own.
class Server {
 public:
  Server() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof(any)), 0);
    socklen_t size = sizeof(any);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &size);
    address = *Address::from_ip("127.0.0.1", ntohs(any.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    stopping_ = true;
    sockaddr_storage to;
    const socklen_t length = address.to_sockaddr(to);
    sendto(fd_, "", 0, 0, reinterpret_cast<sockaddr*>(&to), length);
    thread_.join();
    close(fd_);
  }
  Address address;
  std::atomic<int> asked{0};

 private:
  static std::string record(const char* type, const std::string& data) {
    return std::string("\xc0\x0c\0", 3) + type[0] + std::string("\0\1\0\0\0\x07\0", 7) +
           static_cast<char>(data.size()) + data;
  }
  void serve() {
    char in[1500];
    sockaddr_storage from;
    while (true) {
      socklen_t length = sizeof(from);
      const ssize_t n = recvfrom(fd_, in, sizeof(in), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (stopping_ || n < 17) {
        return;
      }
      ++asked;
      const std::string out = answer(std::string(in, static_cast<size_t>(n)));
      if (!out.empty()) {
        sendto(fd_, out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
      }
    }
  }
  static std::string answer(const std::string& question) {
    const char kind = question[13];
    const bool v6 = question[question.size() - 3] == 28;
    std::string records;
    int count = 0;
    char code = 0;
    if (!v6 && (kind == 'a' || kind == 'b')) {
      records = record("\1", std::string("\xc0\0\2\1", 4)) + record("\1", std::string("\xc0\0\2\2", 4));
      count = 2;
    } else if (v6 && kind == 'b') {
      records = record("\x1c", std::string("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16));
      count = 1;
    } else if (kind == 'n') {
      code = 3;
    } else if (kind == 'f') {
      code = 2;
    } else if (kind == 'g') {
      return question.substr(0, 2) + "\x81\x80garbage that is no message";
    } else if (kind != 'a') {
      return "";
    }
    return question.substr(0, 2) + '\x81' + static_cast<char>(0x80 | code) + std::string("\0\1\0", 3) +
           static_cast<char>(count) + std::string("\0\0\0\0", 4) + question.substr(12) + records;
  }
  const int fd_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class UvResolverTest : public testing::Test {
 protected:
  DnsAnswer ask(const std::string& name, DnsFamily family) {
    ResolverOptions options;
    options.servers = {server_.address};
    options.query_timeout = 100ms;
    options.tries = 2;
    options.no_default_search_domain = true;
    UvResolver resolver(bench_.loop, options);
    DnsAnswer got;
    bool done = false;
    const auto query = resolver.resolve(name, family, [&](DnsAnswer answer) {
      got = std::move(answer);
      done = true;
    });
    EXPECT_FALSE(done);
    EXPECT_TRUE(bench_.run_until([&] { return done; }));
    return got;
  }
  static std::string text(const DnsAnswer& answer) {
    std::string out;
    for (const auto& record : answer.records) {
      out += record.address.ip_to_string() + " ";
    }
    return out;
  }
  Server server_;
  test::Bench bench_;
};

TEST_F(UvResolverTest, FindsAddressesWithTheirTimeToLive) {
  const DnsAnswer answer = ask("a.test", DnsFamily::kV4Only);
  EXPECT_EQ(answer.status, Status::kFound);
  EXPECT_EQ(text(answer), "192.0.2.1 192.0.2.2 ");
  ASSERT_FALSE(answer.records.empty());
  EXPECT_EQ(answer.records[0].ttl, 7s);
}

TEST_F(UvResolverTest, FamiliesInTheirOrder) {
  EXPECT_EQ(text(ask("b.test", DnsFamily::kAuto)), "2001:db8::1 ");
  EXPECT_EQ(text(ask("a.test", DnsFamily::kAuto)), "192.0.2.1 192.0.2.2 ");
  EXPECT_EQ(text(ask("b.test", DnsFamily::kV4Preferred)), "192.0.2.1 192.0.2.2 ");
  EXPECT_EQ(text(ask("b.test", DnsFamily::kV6Only)), "2001:db8::1 ");
  EXPECT_EQ(ask("b.test", DnsFamily::kAll).records.size(), 3u);
}

TEST_F(UvResolverTest, CertainAndUncertainFailures) {
  EXPECT_EQ(ask("n.test", DnsFamily::kAuto).status, Status::kNone);
  EXPECT_EQ(ask("a.test", DnsFamily::kV6Only).status, Status::kNone);
  EXPECT_EQ(ask("f.test", DnsFamily::kV4Only).status, Status::kFailed);
  EXPECT_EQ(ask("g.test", DnsFamily::kV4Only).status, Status::kFailed);
  EXPECT_EQ(ask("silence.test", DnsFamily::kV4Only).status, Status::kFailed);
}

TEST_F(UvResolverTest, AddressesAndLocalNamesAskNobody) {
  EXPECT_EQ(text(ask("127.0.0.7", DnsFamily::kAuto)), "127.0.0.7 ");
  EXPECT_EQ(text(ask("localhost", DnsFamily::kV4Only)), "127.0.0.1 ");
  EXPECT_EQ(server_.asked, 0);
}

TEST_F(UvResolverTest, NobodyIsToldOfAQueryThatWasGivenUp) {
  ResolverOptions options;
  options.servers = {server_.address};
  UvResolver resolver(bench_.loop, options);
  bool told = false;
  auto query = resolver.resolve("a.test", DnsFamily::kV4Only, [&](DnsAnswer) { told = true; });
  query.reset();
  auto late = resolver.resolve("silence.test", DnsFamily::kV4Only, [&](DnsAnswer) { told = true; });
  bench_.run_for(300ms);
  late.reset();
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace sluice::net

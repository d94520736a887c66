// UvResolver: the Resolver of production: c-ares, with its sockets and time-outs on a UvLoop. It reads /etc/hosts,
// /etc/resolv.conf and /etc/nsswitch.conf as c-ares does.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "event/uv_loop.h"
#include "net/resolver.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace sluice::net {

// One for each set of options. Thread: its loop's.
class UvResolver final : public Resolver {
 public:
  UvResolver(event::UvLoop& loop, ResolverOptions options);
  ~UvResolver() override;

  std::unique_ptr<DnsQuery> resolve(const std::string& name, DnsFamily family, OnAnswer on_answer) override;

 private:
  class Query;
  class Socket;
  // What c-ares holds on to: it outlives a query that nobody waits for any more.
  struct Question;

  void open_channel();
  void close_channel();
  void ask(Question& question, int family);
  static void on_done(void* question, int status, int timeouts, ares_addrinfo* found);
  static void on_socket(void* self, int fd, int readable, int writable);
  void answered(Question& question, int status, ares_addrinfo* found);
  void finish(Question& question, int status, std::vector<DnsAnswer::Record> records);
  void process(int readable, int writable);
  void arm();
  void deliver();

  event::UvLoop& loop_;
  const ResolverOptions options_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  std::vector<std::unique_ptr<Socket>> gone_;  // closed by c-ares; one of them may be on the call stack
  std::vector<std::unique_ptr<Question>> finished_;
  size_t asked_ = 0;    // questions that c-ares has
  bool stale_ = false;  // its servers refused: those of the system may be others by now
  bool closing_ = false;
  event::Timer timeout_;
  event::Timer deliver_;
};

}  // namespace sluice::net

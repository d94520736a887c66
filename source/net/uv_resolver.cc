#include "net/uv_resolver.h"

#include <ares.h>
#include <netdb.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"

namespace sluice::net {

namespace {

// c-ares keeps a table of its own for the process, read by every channel.
void start_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  SLUICE_CHECK(status == ARES_SUCCESS);
}

bool is_certain(int status) { return status == ARES_ENODATA || status == ARES_ENOTFOUND; }

std::vector<DnsAnswer::Record> records_of(const ares_addrinfo* found) {
  std::vector<DnsAnswer::Record> out;
  for (const ares_addrinfo_node* node = found == nullptr ? nullptr : found->nodes; node != nullptr;
       node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6) {
      continue;
    }
    const Address address = Address::from_sockaddr(node->ai_addr, node->ai_addrlen).with_port(0);
    const bool known =
        std::any_of(out.begin(), out.end(), [&](const auto& record) { return record.address == address; });
    if (!known) {
      out.push_back({address, std::chrono::seconds(std::max(node->ai_ttl, 0))});
    }
  }
  return out;
}

}  // namespace

struct UvResolver::Question {
  UvResolver& resolver;
  Query* query;  // null: nobody waits any more
  const std::string name;
  int second_family;  // asked for when the first has no addresses; AF_UNSPEC: none
  DnsAnswer answer;
};

// Owned by who asks. Thread: its resolver's.
class UvResolver::Query final : public DnsQuery {
 public:
  Query(Question& question, OnAnswer on_answer) : question_(&question), on_answer_(std::move(on_answer)) {
    question.query = this;
  }
  ~Query() override {
    if (question_ != nullptr) {
      question_->query = nullptr;
    }
  }
  void tell(DnsAnswer answer) {
    question_ = nullptr;
    OnAnswer on_answer = std::move(on_answer_);  // it may destroy us
    on_answer(std::move(answer));
  }

 private:
  Question* question_;
  OnAnswer on_answer_;
};

// A descriptor of c-ares in the loop's set. Owned by its resolver. Thread: its loop's.
class UvResolver::Socket final : public event::Pollable {
 public:
  Socket(UvResolver& resolver, int fd) : resolver_(resolver), fd_(fd) {}
  ~Socket() { resolver_.loop_.epoll_set().forget(*this); }

  bool watch(uint32_t events) {
    if (watched_) {
      resolver_.loop_.epoll_set().modify(fd_, events, *this);
      return true;
    }
    watched_ = resolver_.loop_.epoll_set().add(fd_, events, *this);
    return watched_;
  }
  void unwatch() {
    if (watched_) {
      resolver_.loop_.epoll_set().remove(fd_);
    }
  }
  void on_events(uint32_t events) override {
    const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    resolver_.process(broken || (events & EPOLLIN) != 0 ? fd_ : ARES_SOCKET_BAD,
                      broken || (events & EPOLLOUT) != 0 ? fd_ : ARES_SOCKET_BAD);
  }

 private:
  UvResolver& resolver_;
  const int fd_;
  bool watched_ = false;
};

UvResolver::UvResolver(event::UvLoop& loop, ResolverOptions options)
    : loop_(loop),
      options_(std::move(options)),
      timeout_(loop.timers(), [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }),
      deliver_(loop.timers(), [this] { deliver(); }) {
  start_library();
  open_channel();
}

UvResolver::~UvResolver() {
  close_channel();
  for (const auto& question : finished_) {
    SLUICE_DCHECK(question->query == nullptr);
  }
}

void UvResolver::open_channel() {
  ares_options options{};
  options.sock_state_cb = &UvResolver::on_socket;
  options.sock_state_cb_data = this;
  options.flags = (options_.use_tcp ? ARES_FLAG_USEVC : 0) |
                  (options_.no_default_search_domain ? ARES_FLAG_NOSEARCH : 0) |
                  (options_.edns_payload != 0 ? ARES_FLAG_EDNS : 0);
  options.timeout = static_cast<int>(std::min<int64_t>(to_ms(options_.query_timeout), INT32_MAX));
  options.tries = static_cast<int>(std::min<uint32_t>(options_.tries, 1000));
  options.ednspsz = options_.edns_payload;
  int set = ARES_OPT_SOCK_STATE_CB | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  set |= options_.rotate ? ARES_OPT_ROTATE : ARES_OPT_NOROTATE;
  set |= options_.edns_payload != 0 ? ARES_OPT_EDNSPSZ : 0;
  const int status = ares_init_options(&channel_, &options, set);
  if (status != ARES_SUCCESS) {
    SLUICE_LOG(kError, kMain, "DNS: no resolver: ", ares_strerror(status));
    channel_ = nullptr;
    return;
  }
  // As a fallback they count only where the system names no server (c-ares then assumes one on this machine).
  bool use_ours = !options_.servers.empty();
  if (use_ours && options_.servers_as_fallback) {
    ares_addr_port_node* known = nullptr;
    use_ours =
        ares_get_servers_ports(channel_, &known) != ARES_SUCCESS || known == nullptr ||
        (known->next == nullptr && known->family == AF_INET && known->addr.addr4.s_addr == htonl(INADDR_LOOPBACK));
    ares_free_data(known);
  }
  if (use_ours) {
    std::string list;
    for (const Address& server : options_.servers) {
      append(list, list.empty() ? "" : ",", server.with_port(server.port() == 0 ? 53 : server.port()).to_string());
    }
    if (ares_set_servers_ports_csv(channel_, list.c_str()) != ARES_SUCCESS) {
      SLUICE_LOG(kError, kMain, "DNS: cannot use the servers ", list);
    }
  }
}

void UvResolver::close_channel() {
  if (channel_ != nullptr) {
    closing_ = true;
    ares_destroy(channel_);  // tells every question that it ended
    closing_ = false;
    channel_ = nullptr;
  }
  timeout_.cancel();
}

std::unique_ptr<DnsQuery> UvResolver::resolve(const std::string& name, DnsFamily family, OnAnswer on_answer) {
  if (stale_ && asked_ == 0) {
    stale_ = false;
    close_channel();
    open_channel();
  }
  int first = AF_UNSPEC;
  int second = AF_UNSPEC;
  switch (family) {
    case DnsFamily::kAuto:
      first = AF_INET6, second = AF_INET;
      break;
    case DnsFamily::kV4Preferred:
      first = AF_INET, second = AF_INET6;
      break;
    case DnsFamily::kV4Only:
      first = AF_INET;
      break;
    case DnsFamily::kV6Only:
      first = AF_INET6;
      break;
    case DnsFamily::kAll:
      break;
  }
  auto* question = new Question{*this, nullptr, name, second, {}};
  auto query = std::make_unique<Query>(*question, std::move(on_answer));
  // c-ares would ask for an IPv6 address of "127.0.0.1".
  if (Result<Address> literal = Address::from_ip(name, 0); literal) {
    const int kind = literal->kind() == AddressKind::kIp4 ? AF_INET : AF_INET6;
    const bool wanted = first == AF_UNSPEC || first == kind || second == kind;
    finish(*question, wanted ? ARES_SUCCESS : ARES_ENODATA,
           wanted ? std::vector<DnsAnswer::Record>{{*literal, Duration(0)}} : std::vector<DnsAnswer::Record>());
    return query;
  }
  ask(*question, first);
  arm();
  return query;
}

void UvResolver::ask(Question& question, int family) {
  ++asked_;
  if (channel_ == nullptr) {
    answered(question, ARES_ENOTINITIALIZED, nullptr);
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_flags = ARES_AI_NOSORT;  // in the order of the answer
  ares_getaddrinfo(channel_, question.name.c_str(), nullptr, &hints, &UvResolver::on_done, &question);
}

void UvResolver::on_done(void* arg, int status, int, ares_addrinfo* found) {
  auto& question = *static_cast<Question*>(arg);
  question.resolver.answered(question, status, found);
}

void UvResolver::answered(Question& question, int status, ares_addrinfo* found) {
  --asked_;
  auto records = status == ARES_SUCCESS ? records_of(found) : std::vector<DnsAnswer::Record>();
  if (found != nullptr) {
    ares_freeaddrinfo(found);
  }
  stale_ = stale_ || status == ARES_ECONNREFUSED;
  const bool ended = closing_ || question.query == nullptr;
  if (records.empty() && question.second_family != AF_UNSPEC && !ended) {
    ask(question, std::exchange(question.second_family, AF_UNSPEC));
  } else {
    finish(question, status, std::move(records));
  }
}

// May be called inside resolve(), so whoever asked is told later.
void UvResolver::finish(Question& question, int status, std::vector<DnsAnswer::Record> records) {
  DnsAnswer& answer = question.answer;
  answer.records = std::move(records);
  answer.status = !answer.records.empty()                        ? DnsAnswer::Status::kFound
                  : status == ARES_SUCCESS || is_certain(status) ? DnsAnswer::Status::kNone
                                                                 : DnsAnswer::Status::kFailed;
  answer.error = answer.records.empty() ? cat(question.name, ": ", ares_strerror(status)) : "";
  finished_.emplace_back(&question);
  deliver_.arm(Duration(0));
}

void UvResolver::deliver() {
  std::vector<std::unique_ptr<Question>> batch = std::exchange(finished_, {});
  for (const auto& question : batch) {
    if (question->query != nullptr) {
      question->query->tell(std::move(question->answer));
    }
  }
}

void UvResolver::on_socket(void* arg, int fd, int readable, int writable) {
  auto& self = *static_cast<UvResolver*>(arg);
  std::unique_ptr<Socket>& socket = self.sockets_[fd];
  if (readable == 0 && writable == 0) {
    if (socket != nullptr) {
      socket->unwatch();
      self.gone_.push_back(std::move(socket));
    }
    self.sockets_.erase(fd);
    return;
  }
  if (socket == nullptr) {
    socket = std::make_unique<Socket>(self, fd);
  }
  if (!socket->watch((readable != 0 ? EPOLLIN : 0u) | (writable != 0 ? EPOLLOUT : 0u))) {
    SLUICE_LOG(kError, kMain, "DNS: cannot wait for a socket");  // its question times out
  }
}

void UvResolver::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  gone_.clear();
  arm();
}

void UvResolver::arm() {
  timeval left{};
  if (channel_ == nullptr || ares_timeout(channel_, nullptr, &left) == nullptr) {
    timeout_.cancel();
    return;
  }
  timeout_.arm(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec) +
               std::chrono::milliseconds(1));
}

}  // namespace sluice::net

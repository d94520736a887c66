// socket_setup: what a connection and a request cost under each way of learning that a descriptor is ready
// (docs/decisions/0002-epoll-or-uv-poll.md).
//
//   socket_setup [ROUNDS [SECONDS [WAY]]]
//
// A server thread on core 0 answers 1 KB to each 256 bytes; clients on core 1 either open a connection for each request
// ("new"), or keep 64 of them ("kept"), or keep 2 ("few": hardly an event shares its turn). Printed: CPU microseconds of the server thread for each connection or request,
// the least and the lower quartile of the rounds; the ways take turns, so that other work on the machine hits all.
//
//   raw      epoll alone: the floor
//   uv_poll  libuv, one uv_poll_t for each descriptor
//   set      libuv, with an epoll set of our own that it polls as one descriptor
//   outer    our own epoll set waits; libuv's descriptor is one of its members
//   network  UvNetwork: "set" with all that a Transport promises
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/owner.h"
#include "event/uv_loop.h"
#include "net/uv_network.h"

namespace {

using namespace sluice;

constexpr size_t kRequest = 256;
constexpr size_t kResponse = 1024;
constexpr int kBatch = 256;
char response[kResponse];
char scratch[256 * 1024];

void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);  // best effort: there may be one core only
}

double thread_cpu_us() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

int listen_on_loopback(sockaddr_in& name) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  name = {};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  SLUICE_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0 && listen(fd, 4096) == 0);
  socklen_t length = sizeof(name);
  getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length);
  return fd;
}

// False when the connection is at its end.
bool answer(int fd) {
  const ssize_t n = recv(fd, scratch, sizeof(scratch), 0);
  return n > 0 ? send(fd, response, kResponse, MSG_NOSIGNAL) > 0 : n < 0 && errno == EAGAIN;
}

// The server's side of one round. run() is called on its thread and returns soon after `stop` became true.
class Server {
 public:
  virtual ~Server() = default;
  virtual void run() = 0;
  sockaddr_in name;
  std::atomic<bool> stop{false};
};

// ---- epoll alone, and the same set inside libuv

struct Connection {
  int fd;
};

class EpollSet {
 public:
  explicit EpollSet(int listener) : set(epoll_create1(0)), listener_{listener} { add(&listener_); }
  ~EpollSet() {
    close(listener_.fd);
    close(set);
  }
  // True when an event of `other` was among them.
  bool take(int timeout, Connection* other = nullptr) {
    epoll_event events[kBatch];
    bool found = false;
    const int n = epoll_wait(set, events, kBatch, timeout);
    for (int i = 0; i < n; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == other) {
        found = true;
      } else if (connection == &listener_) {
        for (int fd; (fd = accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          add(new Connection{fd});
        }
      } else if (!answer(connection->fd)) {
        close(connection->fd);
        delete connection;
      }
    }
    return found;
  }
  void add(Connection* connection) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.ptr = connection;
    epoll_ctl(set, EPOLL_CTL_ADD, connection->fd, &event);
  }
  const int set;

 private:
  Connection listener_;
};

class RawServer final : public Server {
 public:
  RawServer() : set_(listen_on_loopback(name)) {}
  void run() override {
    while (!stop) {
      set_.take(10);
    }
  }

 private:
  EpollSet set_;
};

// A libuv loop that ends soon after `stop`.
class UvServer : public Server {
 public:
  UvServer() {
    uv_loop_init(&loop);
    loop.data = this;
  }
  ~UvServer() override {
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
  }
  void run() override {
    uv_timer_t tick;
    uv_timer_init(&loop, &tick);
    uv_timer_start(
        &tick,
        [](uv_timer_t* t) {
          if (static_cast<UvServer*>(t->loop->data)->stop) {
            uv_stop(t->loop);
          }
        },
        10, 10);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_close(reinterpret_cast<uv_handle_t*>(&tick), nullptr);
    uv_run(&loop, UV_RUN_NOWAIT);
  }
  uv_loop_t loop;
};

class SetServer final : public UvServer {
 public:
  SetServer() : set_(listen_on_loopback(name)) {
    uv_poll_init(&loop, &poll_, set_.set);
    poll_.data = this;
    uv_poll_start(&poll_, UV_READABLE,
                  [](uv_poll_t* p, int, int) { static_cast<SetServer*>(p->data)->set_.take(0); });
  }
  ~SetServer() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), nullptr);
    uv_run(&loop, UV_RUN_NOWAIT);
  }

 private:
  EpollSet set_;
  uv_poll_t poll_;
};

class OuterServer final : public Server {
 public:
  OuterServer() : set_(listen_on_loopback(name)) {
    uv_loop_init(&loop_);
    uv_async_init(&loop_, &wake_, [](uv_async_t*) {});
    uv_run(&loop_, UV_RUN_NOWAIT);  // tells the kernel of the new handle
    uv_.fd = uv_backend_fd(&loop_);
    set_.add(&uv_);
  }
  ~OuterServer() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  void run() override {
    while (!stop) {
      if (set_.take(10, &uv_)) {
        uv_run(&loop_, UV_RUN_NOWAIT);
      }
    }
  }

 private:
  EpollSet set_;
  uv_loop_t loop_;
  uv_async_t wake_;
  Connection uv_;
};

class UvPollServer final : public UvServer {
 public:
  UvPollServer() : listener_(listen_on_loopback(name)) {
    uv_poll_init(&loop, &poll_, listener_);
    poll_.data = this;
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* p, int, int) { static_cast<UvPollServer*>(p->data)->accept(); });
  }
  ~UvPollServer() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&poll_), nullptr);
    uv_run(&loop, UV_RUN_NOWAIT);
    close(listener_);
  }

 private:
  struct Polled {
    uv_poll_t poll;
    int fd;
  };
  void accept() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      auto* polled = new Polled{{}, fd};
      uv_poll_init(&loop, &polled->poll, fd);
      polled->poll.data = polled;
      uv_poll_start(&polled->poll, UV_READABLE | UV_DISCONNECT, [](uv_poll_t* p, int, int) {
        if (auto* ready = static_cast<Polled*>(p->data); !answer(ready->fd)) {
          uv_close(reinterpret_cast<uv_handle_t*>(p),
                   [](uv_handle_t* handle) { delete static_cast<Polled*>(handle->data); });
          close(ready->fd);
        }
      });
    }
  }
  int listener_;
  uv_poll_t poll_;
};

// ---- the real thing

class NetworkServer final : public Server {
 public:
  NetworkServer() {
    socket_ = *network_.bind(*net::Address::from_ip("127.0.0.1", 0), {}, 1);
    sockaddr_storage bound;
    socket_->address().to_sockaddr(bound);
    std::memcpy(&name, &bound, sizeof(name));
    acceptor_ = network_.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
      new Client(*this, std::move(transport));
    });
  }
  void run() override {
    event::Timer tick(loop_.timers(), [&] {
      if (stop) {
        loop_.stop();
      }
      tick.arm(std::chrono::milliseconds(10));
    });
    tick.arm(std::chrono::milliseconds(10));
    loop_.run();
  }

 private:
  struct Client final : net::TransportHandler, event::Deferred {
    Client(NetworkServer& server, std::unique_ptr<net::Transport> t) : server(server), transport(std::move(t)) {
      transport->set_handler(this);
    }
    void on_ready(net::Ready) override {
      net::ReadLease lease(server.network_.read_buffer());
      buffer::Buffer bytes(server.slabs_);
      const net::IoStatus status = transport->read(lease, 64 * 1024, bytes).status;
      if (status == net::IoStatus::kOk) {
        buffer::Buffer out(server.slabs_);
        out.append_borrowed({response, 200});  // as a head and a body
        out.append_borrowed({response + 200, kResponse - 200});
        transport->write(out);
      } else if (status != net::IoStatus::kAgain) {
        transport->close(net::CloseHow::kFin);
        server.loop_.destroy_later(std::unique_ptr<event::Deferred>(this));
      }
    }
    NetworkServer& server;
    std::unique_ptr<net::Transport> transport;
  };

  event::UvLoop loop_;
  net::UvNetwork network_{loop_};
  Owner owner_{"server"};
  buffer::SlabPool slabs_{owner_};
  std::unique_ptr<net::ListenSocket> socket_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

// ---- clients

int connect_to(const sockaddr_in& name) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  SLUICE_CHECK(connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0);
  return fd;
}

// Sends requests and reads their answers, again and again; returns how many.
uint64_t drive(const sockaddr_in& name, const std::string& how, double seconds) {
  const bool fresh = how == "new";
  std::vector<int> fds(how == "few" ? 2 : 64, -1);
  uint64_t answered = 0;
  char bytes[kResponse];
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    for (int& fd : fds) {
      fd = fd < 0 ? connect_to(name) : fd;
      SLUICE_CHECK(send(fd, response, kRequest, MSG_NOSIGNAL) == static_cast<ssize_t>(kRequest));
    }
    for (int& fd : fds) {
      for (size_t got = 0; got < kResponse;) {
        const ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
        SLUICE_CHECK(n > 0);
        got += static_cast<size_t>(n);
      }
      ++answered;
      if (fresh) {
        close(fd);
        fd = -1;
      }
    }
  }
  for (const int fd : fds) {
    close(fd);
  }
  return answered;
}

double measure(Server& server, const std::string& how, double seconds) {
  std::atomic<double> cpu{0};
  std::thread thread([&] {
    pin(0);
    const double before = thread_cpu_us();
    server.run();
    cpu = thread_cpu_us() - before;
  });
  pin(1);
  const uint64_t answered = drive(server.name, how, seconds);
  server.stop = true;
  thread.join();
  return cpu / static_cast<double>(answered);
}

std::unique_ptr<Server> make(const std::string& way) {
  if (way == "raw") {
    return std::make_unique<RawServer>();
  }
  if (way == "uv_poll") {
    return std::make_unique<UvPollServer>();
  }
  if (way == "set") {
    return std::make_unique<SetServer>();
  }
  if (way == "outer") {
    return std::make_unique<OuterServer>();
  }
  return std::make_unique<NetworkServer>();
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 12;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 0.5;
  std::map<std::string, std::vector<double>> figures;
  const std::vector<std::string> all = {"raw", "uv_poll", "set", "outer", "network"};
  const std::vector<std::string> ways = argc > 3 ? std::vector<std::string>{argv[3]} : all;
  for (int round = 0; round < rounds; ++round) {
    for (const std::string how : {"new", "kept", "few"}) {
      for (const std::string& way : ways) {
        const std::unique_ptr<Server> server = make(way);
        figures[how + " " + way].push_back(measure(*server, how, seconds));
      }
    }
  }
  std::printf("%-14s %10s %10s %14s\n", "", "least us", "p25 us", "per CPU-second");
  for (auto& [name, values] : figures) {
    std::sort(values.begin(), values.end());
    const double quartile = values[values.size() / 4];
    std::printf("%-14s %10.2f %10.2f %14.0f\n", name.c_str(), values.front(), quartile, 1e6 / quartile);
  }
}

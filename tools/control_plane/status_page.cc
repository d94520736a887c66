#include "tools/control_plane/status_page.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/owner.h"
#include "base/strings.h"
#include "buffer/buffer.h"
#include "buffer/slab.h"

namespace sluice::control_plane {

struct StatusPage::Memory {
  Owner owner{"status page"};
  buffer::SlabPool slabs{owner};
};

// One connection. Owned by its page, by the loop once it is over. Thread: main.
class StatusPage::Visit final : public event::Deferred, private net::TransportHandler {
 public:
  Visit(StatusPage& page, uint64_t number, std::unique_ptr<net::Transport> transport)
      : page_(page),
        number_(number),
        memory_(page.memory_),
        transport_(std::move(transport)),
        in_(memory_->slabs),
        out_(memory_->slabs),
        limit_(page.loop_.timers(), [this] { end(); }) {
    transport_->set_handler(this);
    limit_.arm(kLongestVisit);
  }

 private:
  void on_ready(net::Ready ready) override {
    if (ready.failed) {
      end();
    } else if (!answered_) {
      read();
    } else if (ready.writable) {
      write();
    }
  }

  void read() {
    net::IoResult result{};
    {
      net::ReadLease lease(page_.network_.read_buffer());
      result = transport_->read(lease, kLargestRequest, in_);
      in_.own();
    }
    const std::string text = in_.to_string();
    if (text.find("\r\n\r\n") != std::string::npos) {
      answer(text);
    } else if (result.status == net::IoStatus::kEof || result.status == net::IoStatus::kFailed ||
               text.size() > kLargestRequest) {
      end();
    }
  }

  void answer(std::string_view request) {
    answered_ = true;
    transport_->want_read(false);
    const std::vector<std::string_view> words = split(request.substr(0, request.find("\r\n")), ' ');
    const std::string body = words.size() == 3 && words[0] == "GET" ? page_.page_(words[1]) : std::string();
    out_.append_copy(cat("HTTP/1.1 ", body.empty() ? "404 Not Found" : "200 OK",
                         "\r\ncontent-type: ", body.starts_with('{') ? "application/json" : "text/plain; charset=utf-8",
                         "\r\ncontent-length: ", body.size(), "\r\nconnection: close\r\n\r\n"));
    out_.append_copy(body);
    write();
  }

  void write() {
    while (!out_.empty()) {
      const net::IoResult result = transport_->write(out_);
      if (result.status == net::IoStatus::kAgain) {
        transport_->want_write(true);
        return;
      }
      if (result.status != net::IoStatus::kOk) {
        break;
      }
    }
    end();
  }

  void end() {
    limit_.cancel();
    transport_->close(net::CloseHow::kFin);
    const auto self = page_.visits_.extract(number_);
    page_.loop_.destroy_later(std::move(self.mapped()));
  }

  StatusPage& page_;
  const uint64_t number_;
  std::shared_ptr<Memory> memory_;
  std::unique_ptr<net::Transport> transport_;
  buffer::Buffer in_, out_;
  bool answered_ = false;
  event::Timer limit_;
};

StatusPage::StatusPage(event::Loop& loop, net::Network& network, net::ListenSocket& socket,
                       Function<std::string(std::string_view)> page)
    : loop_(loop), network_(network), page_(std::move(page)), memory_(std::make_shared<Memory>()) {
  acceptor_ = network.accept(socket, 0, [this](std::unique_ptr<net::Transport> transport) {
    if (visits_.size() < kMostVisits) {
      const uint64_t number = ++last_number_;
      visits_[number] = std::make_unique<Visit>(*this, number, std::move(transport));
    }
  });
}

StatusPage::~StatusPage() = default;

Result<std::string> fetch_status(const net::Address& address, std::string_view path) {
  const auto fail = [&address] {
    return Error{cat("no status from ", address.to_string(), ": ", std::strerror(errno))};
  };
  sockaddr_storage storage;
  const socklen_t length = address.to_sockaddr(storage);
  const int socket = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{socket};
  const timeval limit{10, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const std::string request = cat("GET ", path, " HTTP/1.1\r\nhost: control_plane\r\n\r\n");
  if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&storage), length) != 0 ||
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return fail();
  }
  std::string answer;
  char bytes[65536];
  while (const ssize_t n = ::recv(socket, bytes, sizeof(bytes), 0)) {
    if (n < 0) {
      return fail();
    }
    answer.append(bytes, static_cast<size_t>(n));
  }
  const size_t head = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200 ") || head == std::string::npos) {
    return Error{cat("no status from ", address.to_string(), ": it answers ", answer.substr(0, answer.find('\r')))};
  }
  return answer.substr(head + 4);
}

}  // namespace sluice::control_plane

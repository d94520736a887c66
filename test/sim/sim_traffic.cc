#include "test/sim/sim_traffic.h"

#include <algorithm>
#include <cstdlib>

#include "base/strings.h"

namespace sluice::test {

using namespace std::chrono_literals;

namespace {

constexpr size_t kSizes[] = {0, 1, 100, 5'000, 33'000, 70'000, 200'000};

size_t some_size(SimRandom& random) {
  const size_t most = kSizes[random.below(std::size(kSizes))];
  return most == 0 ? 0 : random.between(most / 2, most);
}

bool is_prefix_of_body(const std::string& got, const Plan& plan, size_t bytes) {
  return got.size() <= bytes && got == body_of(plan.key, got.size());
}

}  // namespace

// ---- Plan

Plan Plan::random(SimRandom& random, std::string_view answers) {
  Plan plan;
  plan.answer = static_cast<Answer>(answers[random.below(answers.size())]);
  plan.key = random.below(1'000'000'000);
  plan.request_bytes = random.chance(500) ? 0 : some_size(random);
  if (plan.answer == Answer::kEarly) {
    plan.request_bytes = random.between(50'000, 200'000);  // more than fits into buffers and pipes, or just not
  } else if (plan.answer == Answer::kMoved) {
    plan.request_bytes %= 8'000;  // it must be kept
  }
  plan.response_bytes = some_size(random);
  plan.cut = plan.answer == Answer::kLate ? random.below(4'000) : random.below(plan.response_bytes + 120);
  return plan;
}

std::string Plan::path() const {
  return cat("/", std::string(1, static_cast<char>(answer)), "/", key, "/", request_bytes, "/", response_bytes, "/",
             cut);
}

std::optional<Plan> Plan::parse(std::string_view path) {
  const auto parts = split(path, '/');
  if (parts.size() != 6 || parts[1].size() != 1) {
    return std::nullopt;
  }
  const auto number = [&](int i) { return parse_number<uint64_t>(parts[i]).value_or(0); };
  return Plan{static_cast<Answer>(parts[1][0]), number(2), number(3), number(4), number(5)};
}

std::string body_of(uint64_t key, size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) {
    out[i] = static_cast<char>(key + i * 7 + (i >> 8));
  }
  return out;
}

// ---- SimMessageText

SimMessageText SimMessageText::chunked(std::string head, std::string_view body, SimRandom& random) {
  SimMessageText out(std::move(head), {});
  while (!body.empty()) {
    const size_t n = random.between(1, std::min<size_t>(body.size(), 40'000));
    char size[24];
    std::snprintf(size, sizeof(size), "%zx\r\n", n);
    append(out.bytes_, size, body.substr(0, n), "\r\n");
    out.edges_.push_back(out.bytes_.size() - 2);
    body.remove_prefix(n);
  }
  out.bytes_ += "0\r\n\r\n";
  return out;
}

void SimMessageText::send(SimTalker& from, SimRandom& random) const {
  size_t sent = 0;
  const auto send_to = [&](size_t end) {
    if (end > sent && end <= bytes_.size()) {
      from.send(std::string_view(bytes_).substr(sent, end - sent));
      sent = end;
    }
  };
  if (random.chance(100)) {
    send_to(random.between(1, bytes_.find("\r\n\r\n") + 4));
  }
  for (const size_t edge : edges_) {
    if (random.chance(300)) {
      send_to(edge - 2 + random.below(6));
    }
  }
  send_to(bytes_.size());
}

// ---- SimMessage

std::string SimMessage::header(std::string_view name) const {
  const size_t at = head_.find(cat("\r\n", name, ": "));
  if (at == std::string::npos) {
    return {};
  }
  const size_t from = at + name.size() + 4;
  return head_.substr(from, head_.find("\r\n", from) - from);
}

int SimMessage::status() const { return head_.starts_with("HTTP/") ? std::atoi(head_.c_str() + 9) : 0; }

void SimMessage::take(std::string& bytes) {
  while (state_ == State::kHead) {
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos) {
      return;
    }
    head_ = bytes.substr(0, end + 4);
    bytes.erase(0, end + 4);
    if (status() / 100 == 1) {
      continue;
    }
    const std::string length = header("content-length");
    chunked_ = header("transfer-encoding") == "chunked";
    until_end_ = !chunked_ && length.empty() && head_.starts_with("HTTP/");
    wanted_ = length.empty() ? 0 : std::strtoul(length.c_str(), nullptr, 10);
    state_ = State::kBody;
  }
  if (state_ == State::kBody && chunked_) {
    while (take_chunk(bytes)) {
    }
  } else if (state_ == State::kBody) {
    const size_t n = until_end_ ? bytes.size() : std::min(bytes.size(), wanted_ - body_.size());
    body_.append(bytes, 0, n);
    bytes.erase(0, n);
    state_ = !until_end_ && body_.size() == wanted_ ? State::kComplete : State::kBody;
  }
}

// One chunk, or what there is of it; false when more is needed or it was the last.
bool SimMessage::take_chunk(std::string& bytes) {
  if (wanted_ == 0) {
    const size_t line = bytes.find("\r\n");
    if (line == std::string::npos) {
      return false;
    }
    const size_t size = std::strtoul(bytes.c_str(), nullptr, 16);
    if (size == 0) {
      if (bytes.size() < line + 4) {
        return false;
      }
      bytes.erase(0, line + 4);
      state_ = State::kComplete;
      return false;
    }
    bytes.erase(0, line + 2);
    wanted_ = size + 2;
  }
  const size_t n = std::min(wanted_, bytes.size());
  const size_t data = wanted_ > 2 ? std::min(n, wanted_ - 2) : 0;
  body_.append(bytes, 0, data);
  bytes.erase(0, n);
  wanted_ -= n;
  return n > 0 && !bytes.empty();
}

void SimMessage::end() {
  if (state_ == State::kBody && until_end_) {
    state_ = State::kComplete;
  }
}

// ---- Violations

void Violations::expect(bool holds, std::string_view what) {
  if (!holds && first_.empty()) {
    first_ = cat("seed ", world_.seed(), ", step ", world_.steps(), ": ", what, "\n", world_.last_trace(40));
  }
}

// ---- Ledger

uint32_t Ledger::begun(const Plan& plan) {
  uint32_t& tries = tries_[plan.key];
  const uint32_t most = most_tries + (plan.answer == Answer::kMoved ? 1 : 0);
  violations.expect(tries < most, cat("a request comes more often than it may: ", plan.path()));
  return tries++;
}

// ---- TrafficOrigin

class TrafficOrigin::Connection final : public SimTalker {
 public:
  Connection(TrafficOrigin& origin, std::unique_ptr<net::Transport> transport)
      : SimTalker(origin.machine_.loop, origin.machine_.network, origin.machine_.slabs, std::move(transport)),
        origin_(origin) {}

 private:
  void on_received() override {
    while (!ended()) {
      message_.take(received_);
      if (message_.state() == SimMessage::State::kHead) {
        return;
      }
      const std::string line = message_.first_line();
      const size_t from = line.find(' ') + 1;
      const std::optional<Plan> plan = Plan::parse(line.substr(from, line.find(' ', from) - from));
      Violations& violations = origin_.ledger_.violations;
      violations.expect(plan.has_value(), cat("the origin got a request that nobody sent: ", line));
      if (!plan) {
        close();
        return;
      }
      if (!std::exchange(begun_, true)) {
        tries_before_ = origin_.ledger_.begun(*plan);
        violations.expect(!origin_.retired_, cat("a host that is gone is asked: ", plan->path()));
      }
      violations.expect(is_prefix_of_body(message_.body(), *plan, plan->request_bytes),
                        "the origin got other bytes than the client sent");
      const bool complete = message_.state() == SimMessage::State::kComplete;
      violations.expect(!complete || message_.body().size() == plan->request_bytes,
                        "the origin got a complete request that is too short");
      if (plan->answer == Answer::kEarly && !answered_) {
        answered_ = true;
        answer(*plan);
        read_later();
      }
      if (!complete) {
        return;
      }
      if (!std::exchange(answered_, false)) {
        answer(*plan);
      }
      message_.begin_anew();
      begun_ = false;
      ++answers_;
    }
    if (origin_.impatient_ && origin_.machine_.loop.world().random().chance(100)) {
      close_when_idle();
    }
  }

  // The kind of server that ends connections without a word.
  void close_when_idle() {
    SimWorld& world = origin_.machine_.loop.world();
    world.after(world.random().between(Duration(0), 100ms), [this, at = answers_, alive = std::weak_ptr(alive_)] {
      if (!alive.expired() && answers_ == at && !begun_ && later_ == 0 && received_.empty()) {
        close();
      }
    });
  }

  // What was answered without its rest is in no hurry.
  void read_later() {
    read(false);
    SimWorld& world = origin_.machine_.loop.world();
    world.after(world.random().between(Duration(0), 1000ms), [this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) {
        read(true);
      }
    });
  }

  void send_later(std::string bytes, Duration delay) {
    ++later_;
    origin_.machine_.loop.world().after(delay, [this, bytes = std::move(bytes), alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) {
        --later_;
        send(bytes);
      }
    });
  }

  void answer(const Plan& plan) {
    SimRandom& random = origin_.machine_.loop.world().random();
    const std::string body = body_of(plan.key, plan.response_bytes);
    const std::string framed = cat("HTTP/1.1 200 OK\r\ncontent-length: ", body.size(), "\r\n\r\n", body);
    switch (plan.answer) {
      case Answer::kNever:
        return;
      case Answer::kChunked:
        SimMessageText::chunked("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", body, random)
            .send(*this, random);
        return;
      case Answer::kInterim:
        send(cat("HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n", framed));
        return;
      case Answer::kUntilEnd:
        send(cat("HTTP/1.1 200 OK\r\n\r\n", body));
        close_when_sent(net::CloseHow::kFin);
        return;
      case Answer::kReset:
      case Answer::kFin:
        send(std::string_view(framed).substr(0, std::min(plan.cut, framed.size() - 1)));
        close_when_sent(plan.answer == Answer::kReset ? net::CloseHow::kReset : net::CloseHow::kFin);
        return;
      case Answer::kLate:
        send(std::string_view(framed).substr(0, framed.size() / 2));
        send_later(framed.substr(framed.size() / 2), std::chrono::milliseconds(plan.cut));
        return;
      case Answer::kBusy:
        send(tries_before_ > 0 ? framed : "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy");
        return;
      case Answer::kMoved:
        send(tries_before_ > 0 ? framed
                               : cat("HTTP/1.1 302 Found\r\nlocation: http://a", plan.path(),
                                     "\r\ncontent-length: ", body.size(), "\r\n\r\n", body));
        return;
      default:
        send(framed);
    }
  }

  TrafficOrigin& origin_;
  SimMessage message_;
  bool begun_ = false;  // of the request that comes in, the head is here
  bool answered_ = false;
  uint32_t tries_before_ = 0;
  uint64_t answers_ = 0;
  uint32_t later_ = 0;  // halves of answers that are still to be sent
  const std::shared_ptr<int> alive_ = std::make_shared<int>();
};

TrafficOrigin::TrafficOrigin(SimMachine& machine, const net::Address& address, Ledger& ledger)
    : machine_(machine), ledger_(ledger) {
  socket_ = std::move(*machine_.network.bind(address, {}, 1));
  acceptor_ = machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
    connections_.push_back(std::make_unique<Connection>(*this, std::move(transport)));
  });
}

TrafficOrigin::~TrafficOrigin() = default;

// ---- TrafficClient

TrafficClient::TrafficClient(SimMachine& machine, const net::Address& proxy, SimRandom random, Ledger& ledger)
    : machine_(machine),
      proxy_(proxy),
      random_(random),
      ledger_(ledger),
      self_(std::make_shared<TrafficClient*>(this)) {}

TrafficClient::~TrafficClient() { *self_ = nullptr; }

void TrafficClient::later(Duration delay, void (TrafficClient::*what)()) {
  machine_.loop.world().after(delay, [self = self_, what] {
    if (*self != nullptr) {
      ((*self)->*what)();
    }
  });
}

void TrafficClient::run(int left, std::string_view answers) {
  left_ = left;
  answers_ = answers;
  later(random_.between(Duration(0), 50ms), &TrafficClient::next);
}

void TrafficClient::next() {
  if (left_ > 0 && !busy_) {
    --left_;
    plan_ = Plan::random(random_, answers_);
    ++outcomes_.begun;
    send_request();
  }
}

void TrafficClient::send_request() {
  if (connection_ == nullptr || connection_->ended()) {
    connection_ = std::make_unique<SimCaller>(machine_, proxy_, [this] { on_bytes(); });
    ++connections_;
    asked_here_ = 0;
  }
  busy_ = true;
  ++asked_here_;
  sent_ = machine_.loop.world().now();
  message_.begin_anew();
  const std::string body = body_of(plan_.key, plan_.request_bytes);
  const bool chunks = !body.empty() && random_.chance(400);
  const std::string framing = chunks ? "transfer-encoding: chunked\r\n" : cat("content-length: ", body.size(), "\r\n");
  std::string head = cat(body.empty() ? "GET " : "POST ", plan_.path(), " HTTP/1.1\r\nhost: a\r\n", framing, "\r\n");
  (chunks ? SimMessageText::chunked(std::move(head), body, random_) : SimMessageText(std::move(head), body))
      .send(*connection_, random_);
  if (!well_behaved_ && random_.chance(300)) {
    later(random_.between(Duration(0), 200ms), &TrafficClient::misbehave);
  }
}

// Stops reading for a while, or goes away.
void TrafficClient::misbehave() {
  if (connection_ == nullptr || connection_->ended()) {
    return;
  }
  if (random_.chance(500)) {
    connection_->read(false);
    machine_.loop.world().after(random_.between(Duration(1ms), Duration(3s)), [self = self_] {
      if (*self != nullptr && (*self)->connection_ != nullptr) {
        (*self)->connection_->read(true);
      }
    });
  } else if (busy_) {
    connection_->close(random_.chance(500) ? net::CloseHow::kReset : net::CloseHow::kFin);
    finish(&Outcomes::given_up);
  }
}

void TrafficClient::on_bytes() {
  if (!busy_) {
    return;
  }
  message_.take(connection_->bytes());
  if (connection_->ended()) {
    message_.end();
  }
  const bool complete = message_.state() == SimMessage::State::kComplete;
  judge(complete);
  if (complete && message_.status() == 200) {
    if (on_whole_) {
      on_whole_(message_, sent_);
    }
    finish(&Outcomes::whole);
  } else if (complete) {
    finish(&Outcomes::error);
  } else if (connection_->ended()) {
    if (tries_again_ && asked_here_ > 1 && message_.status() == 0 && plan_.request_bytes == 0) {
      later(0ms, &TrafficClient::send_request);
      return;
    }
    finish(&Outcomes::cut);
  }
}

void TrafficClient::judge(bool complete) {
  Violations& violations = ledger_.violations;
  if (message_.status() == 200) {
    violations.expect(is_prefix_of_body(message_.body(), plan_, plan_.response_bytes),
                      cat("a client got other bytes than the origin sent: ", plan_.path()));
    violations.expect(!complete || message_.body().size() == plan_.response_bytes,
                      cat("a truncated response looks complete: ", plan_.path()));
    violations.expect(!complete || plan_.can_succeed(), cat("a response out of nothing: ", plan_.path()));
  } else if (message_.status() != 0) {
    violations.expect(message_.status() >= 400, cat("status ", message_.status(), " from nowhere"));
  }
}

void TrafficClient::finish(uint64_t Outcomes::*outcome) {
  ++(outcomes_.*outcome);
  ledger_.violations.expect(
      !well_behaved_ || outcome == &Outcomes::whole,
      cat("without faults a request is not answered: ", plan_.path(), ", status ", message_.status(), " ",
          message_.status() == 200 ? "" : message_.body(), ", request ", asked_here_, " on its connection"));
  busy_ = false;
  // A proxy that says "close" gets no further request on this connection.
  if (message_.state() == SimMessage::State::kComplete && message_.header("connection") == "close") {
    connection_->close();
  }
  later(random_.between(Duration(0), pause_), &TrafficClient::next);
}

void TrafficClient::leave() {
  left_ = 0;
  if (busy_) {
    busy_ = false;
    ++outcomes_.given_up;
  }
  if (connection_ != nullptr) {
    connection_->close();
  }
}

}  // namespace sluice::test

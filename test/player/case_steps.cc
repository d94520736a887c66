// The steps of a case, each as the runner's do_* of the same name.
#include <algorithm>
#include <chrono>

#include "base/strings.h"
#include "match/regex.h"
#include "test/player/case_player.h"
#include "test/player/http2_client.h"

namespace sluice::player {

namespace {

using namespace std::chrono_literals;

// The lines of /stats whose name has a match, and the sum of their numbers.
struct Reading {
  std::string lines;
  std::optional<double> sum;
};

Reading select(const match::Regex& wanted, std::string_view text) {
  Reading out;
  for (const std::string_view line : split(text, '\n')) {
    const size_t colon = line.find(": ");
    if (colon != std::string_view::npos && wanted.matches(line.substr(0, colon))) {
      append(out.lines, line, "\n");
      if (const auto value = parse_number<int64_t>(line.substr(colon + 2))) {
        out.sum = out.sum.value_or(0) + static_cast<double>(*value);
      }
    }
  }
  return out;
}

// What a client of this kind asks for.
std::vector<std::string> alpn_of(const Spec& step) {
  const std::string kind = step["kind"].text();
  return kind == "http" ? std::vector<std::string>{"http/1.1"}
         : kind == "h2" ? std::vector<std::string>{"h2"}
                        : std::vector<std::string>{};
}

Value::Map client_ended(std::string_view why) {
  Value::Map client;
  client.set("ended", text(why));
  Value::Map out;
  out.set("client", std::move(client));
  return out;
}

}  // namespace

Task<Value::Map> CasePlayer::step(Spec step) {
  if (!step.has("async")) {
    co_return co_await act(step);
  }
  started_[step["async"].text()] = &begin(step);
  co_await stage_.sleep(30ms);
  Value::Map out;
  out.set("started", step["async"].text());
  co_return out;
}

Task<Value::Map> CasePlayer::act(Spec step) {
  const std::string kind = step["kind"].text();
  const Spec spec = step["spec"];
  Value::Map out;
  if (kind == "http" || kind == "h2" || kind == "raw" || kind == "tcp") {
    out = co_await talk(step);
  } else if (kind == "parallel") {
    out = co_await parallel(spec);
  } else if (kind == "join") {
    out = co_await join(spec);
  } else if (kind == "admin") {
    out = co_await admin(spec);
  } else if (kind == "stats") {
    out = co_await stats(spec);
  } else if (kind == "log") {
    out = co_await log(spec);
  } else if (kind == "repeat") {
    out = co_await repeat(spec);
  } else if (kind == "wait_for") {
    out = co_await wait_for(spec);
  } else if (kind == "signal") {
    out = co_await signal(spec);
  } else if (kind == "origin") {
    out = co_await origin(spec);
  } else if (kind == "write") {
    out = co_await write(spec);
  } else if (kind == "close") {
    out = close(spec);
  } else if (kind == "pause_ms") {
    co_await stage_.sleep(spec.ms());
  } else {
    fail(cat("the player has no step ", kind));
  }
  co_return out;
}

CasePlayer::Started& CasePlayer::begin(Spec step) {
  Started& started = begun_.emplace_back();
  stage_.spawn(carry_out(step, started));
  return started;
}

Task<void> CasePlayer::carry_out(Spec step, Started& started) {
  started.result = co_await act(step);
  started.done = true;
}

Task<std::shared_ptr<Wire>> CasePlayer::connect(Spec step, std::string& why) {
  const Spec spec = step["spec"];
  net::ConnectOptions options;
  if (spec["source"].truthy()) {
    options.source = *net::Address::from_ip(spec["source"].text(), 0);
  }
  const auto port = static_cast<uint16_t>(spec["port"].number());
  const Wire::Of of = step.has("kind") ? Wire::Of::kClient : Wire::Of::kRunner;
  auto wire =
      std::make_shared<Wire>(stage_, peers_, peers_.network.connect(*net::Address::from_ip(kHost, port), options), of);
  Wire& w = *wire;
  co_await stage_.until([&w] { return w.connected() || w.refused(); }, 5s);
  if (!w.connected()) {
    why = w.refused() ? "connect refused" : "connect timeout";
    co_return nullptr;
  }
  const Spec tls = spec["tls"];
  if (!tls.is_null() && (tls.truthy() || tls.value()->as_map() != nullptr)) {
    w.secure(TlsLayer::client(tls, alpn_of(step), spec_["pki"].text()));
    (void)co_await w.until([&w] { return w.open(); }, 5s);
    if (!w.open()) {
      why = w.ended.starts_with("tls:") ? w.ended : w.ended.empty() ? "connect timeout" : "closed during tls handshake";
      co_return nullptr;
    }
  }
  co_return wire;
}

Task<Value::Map> CasePlayer::talk(Spec step) {
  const Spec spec = step["spec"];
  const std::string name = spec["conn"].text();
  std::shared_ptr<Client> client;
  bool fresh = false;
  if (const auto known = conns_.find(name); !name.empty() && known != conns_.end()) {
    client = known->second;
  } else {
    std::string why;
    const std::shared_ptr<Wire> wire = co_await connect(step, why);
    if (wire == nullptr) {
      co_return client_ended(why);
    }
    if (step["kind"].says("http")) {
      client = std::make_shared<Http1Client>(wire, letters_);
    } else if (step["kind"].says("h2")) {
      client = std::make_shared<Http2Client>(stage_, wire, spec, wire->tls() != nullptr ? "https" : "http");
    } else {
      client = std::make_shared<RawClient>(wire);
    }
    clients_.push_back(client);
    fresh = true;
    if (!name.empty()) {
      conns_[name] = client;
    }
  }
  Value::Map got = co_await client->request(spec);
  if (fresh && client->wire().tls() != nullptr) {
    got.set("tls", client->wire().tls()->facts());
  }
  Value::Map out;
  out.set("client", std::move(got));
  if (name.empty()) {
    client->wire().close();
  }
  co_return out;
}

Value::Map CasePlayer::close(Spec spec) {
  const auto found = conns_.find(spec["conn"].text());
  if (found == conns_.end()) {
    return client_ended("there is no such connection");
  }
  const std::string how = spec["how"].text("close");
  Wire& wire = found->second->wire();
  if (how == "half") {
    wire.half_close();
    return {};
  }
  how == "reset" ? wire.reset() : wire.close();
  conns_.erase(found);
  return {};
}

Task<Value::Map> CasePlayer::parallel(Spec spec) {
  std::vector<Started*> all;
  for (const Spec& one : spec["steps"].list()) {
    all.push_back(&begin(one));
    co_await stage_.sleep(spec["stagger_ms"].ms(40));
  }
  Value::List results;
  for (Started* one : all) {
    co_await stage_.until([one] { return one->done; });
    results.emplace_back(std::move(one->result));
  }
  Value::Map out;
  out.set("parallel", std::move(results));
  co_return out;
}

Task<Value::Map> CasePlayer::join(Spec spec) {
  const std::string name = spec.text();
  const auto found = started_.find(name);
  if (found == started_.end()) {
    fail(cat("nothing was started as ", name));
    co_return Value::Map();
  }
  Started* one = found->second;
  co_await stage_.until([one] { return one->done; });
  started_.erase(name);
  co_return std::move(one->result);
}

Task<CasePlayer::Admin> CasePlayer::ask_admin(Question question) {
  Admin out;
  std::string why;
  const std::shared_ptr<Wire> wire = co_await connect(spec_["admin"], why);
  if (wire == nullptr) {
    out.shown.set("ended", text(why));
    co_return out;
  }
  Http1Client client(wire, letters_);
  const std::string length = question.method == "POST" ? cat("content-length: ", question.body.size(), "\r\n") : "";
  wire->write(cat(question.method, " ", question.path, " HTTP/1.1\r\nhost: admin\r\n", length,
                  "connection: close\r\n\r\n", question.body));
  Http1Client::Response got;
  co_await client.read_response(question.method, question.limit, got);
  wire->close();
  if (got.version.empty()) {
    out.shown.set("ended", text(got.ended));
    co_return out;
  }
  out.shown.set("status", number(got.status));
  out.shown.set("headers", pairs(got.headers));
  out.shown.set("raw", bytes(got.body.raw));
  out.text = std::move(got.body.raw);
  co_return out;
}

Task<Value::Map> CasePlayer::admin(Spec spec) {
  const std::string path = as_bytes(spec["path"].text());
  const std::string method = spec["method"].text("GET");
  const std::string body = as_bytes(spec["body"].text());
  Admin got = co_await ask_admin({.path = path, .method = method, .body = body});
  if (spec["exits"].truthy()) {
    exit_expected_ = true;
    const bool ended = co_await stage_.until([this] { return !proxy_.running(); }, 5s);
    if (!ended) {
      fail("still running");
    }
    co_await stage_.sleep(1ms);  // its peers see that it is gone
    got.shown.set("exit", number(0));
  }
  Value::Map out;
  out.set("admin", std::move(got.shown));
  co_return out;
}

Task<std::string> CasePlayer::stats_text() {
  Admin got = co_await ask_admin({.path = "/stats"});
  co_return std::move(got.text);
}

namespace {

match::Regex search_of(const std::string& pattern) {
  // matches() covers the whole name; the case's pattern need not.
  Result<match::Regex> compiled = match::Regex::compile(cat("(?s).*(?:", pattern, ").*"), 100'000);
  return compiled ? std::move(*compiled) : match::Regex();
}

}  // namespace

Task<Value::Map> CasePlayer::stats(Spec spec) {
  const match::Regex wanted = search_of(spec["match"].text());
  std::optional<std::string> last;
  std::string now;
  for (int i = 0; i < 12; ++i) {  // two equal readings in a row
    now = co_await stats_text();
    const std::string lines = select(wanted, now).lines;
    if (last == lines) {
      break;
    }
    last = lines;
    co_await stage_.sleep(20ms);
  }
  Value::Map out;
  out.set("stats_text", bytes(now));
  if (spec["histograms"].truthy()) {
    const Admin tree = co_await ask_admin({.path = "/stats?format=json&histogram_buckets=cumulative"});
    out.set("histograms_text", bytes(tree.text));
  }
  co_return out;
}

Task<Value::Map> CasePlayer::log(Spec spec) {
  const std::string name = spec["file"].text("access.log");
  const size_t wanted = spec["lines"].size(1);
  // What the runner collects in proxy.out.
  const std::string path = name == "proxy.out" ? "/dev/stdout" : cat(spec_["dir"].text(), "/", name);
  const size_t start = log_at_[name];
  if (wanted == 0) {
    co_await stage_.sleep(100ms);
  }
  std::string all;
  const auto lines = [&] {
    all = proxy_.appended(path).substr(start);
    return static_cast<size_t>(std::count(all.begin(), all.end(), '\n'));
  };
  const MonotonicTime deadline = world_.now() + spec["timeout_ms"].ms(3000);
  while (lines() < wanted && world_.now() < deadline) {
    co_await stage_.sleep(10ms);
  }
  all.resize(all.rfind('\n') + 1);  // an unfinished line is for the next step; none: npos + 1 is 0
  log_at_[name] = start + all.size();
  Value::Map out;
  out.set("log_text", bytes(all));
  co_return out;
}

Task<Value::Map> CasePlayer::repeat(Spec spec) {
  std::map<std::string, size_t> before;
  for (const auto& origin : origins_) {
    before[origin->name()] = origin->log().size();
  }
  Value::List results;
  for (size_t i = 0; i < spec["times"].size(); ++i) {
    Value::Map got = co_await act(spec["step"]);
    results.push_back(got["client"]);
    if (spec["pause_ms"].truthy()) {
      co_await stage_.sleep(spec["pause_ms"].ms());
    }
  }
  co_await stage_.sleep(15ms);
  Value::Map at;
  for (const auto& origin : origins_) {
    const auto& log = origin->log();
    for (size_t i = before[origin->name()]; i < log.size(); ++i) {
      log[i]->told = true;
    }
    at.set(origin->name(), number(static_cast<double>(log.size() - before[origin->name()])));
  }
  Value::Map out;
  out.set("results", std::move(results));
  out.set("at", std::move(at));
  co_return out;
}

Task<Value::Map> CasePlayer::wait_for(Spec spec) {
  const MonotonicTime deadline = world_.now() + spec["timeout_ms"].ms(5000);
  const match::Regex wanted = search_of(spec["stats"].text());
  Value::Map out;
  while (true) {
    Value last;
    bool good = false;
    if (spec.has("stats")) {
      const std::string now = co_await stats_text();
      const std::optional<double> sum = select(wanted, now).sum;
      good = sum && *sum >= spec["at_least"].number(*sum) && *sum <= spec["at_most"].number(*sum);
      last = sum ? number(*sum) : Value();
    } else {
      Value::Map got = co_await act(spec["http"]);
      const Value::Map& client = *got["client"].as_map();
      const Value* status = client.find("status");
      const Value* body = client.find("body");
      last = status == nullptr ? Value() : *status;
      const std::string shown = body == nullptr ? "" : shown_bytes(*body);
      good = status != nullptr && *status->as_number() == spec["status"].number(200) &&
             shown.find(as_bytes(spec["body"].text())) != std::string::npos;
      co_await stage_.sleep(10ms);
      for (const auto& origin : origins_) {
        for (const auto& record : origin->log()) {
          record->told = true;
        }
      }
    }
    out.set("reached", Value::boolean(good));
    if (good) {
      co_return out;
    }
    if (world_.now() > deadline) {
      out.set("last", std::move(last));
      co_return out;
    }
    co_await stage_.sleep(20ms);
  }
}

Task<Value::Map> CasePlayer::signal(Spec spec) {
  const std::string name = spec["name"].text();
  Value::Map out;
  if (name == "TERM" || name == "INT") {
    exit_expected_ = true;
    co_await stage_.outside([this] { proxy_.shut_down(); });
    const bool ended = co_await stage_.until([this] { return !proxy_.running(); }, spec["timeout_ms"].ms(5000));
    out.set("exit", ended ? number(0) : Value("still running"));
    co_return out;
  }
  if (name == "USR1") {
    co_await stage_.outside([this] { proxy_.reopen_logs(); });
  } else if (name != "HUP") {
    fail(cat("the player has no signal ", name));
  }
  co_await stage_.sleep(50ms);
  co_return out;
}

Task<Value::Map> CasePlayer::origin(Spec spec) {
  const std::string action = spec["action"].text();
  for (const auto& one : origins_) {
    if (one->name() != spec["name"].text()) {
      continue;
    }
    if (action == "stop") {
      one->stop(spec["how"].text("reset"));
    } else if (action == "start") {
      one->start();
    } else if (action == "respond") {
      one->respond(spec["respond"]);
    } else {
      one->drop(action);
    }
  }
  co_await stage_.sleep(10ms);
  co_return Value::Map();
}

Task<Value::Map> CasePlayer::write(Spec spec) {
  co_await stage_.outside([this, spec] { proxy_.put_file(spec["path"].text(), spec["content"].text()); });
  co_return Value::Map();
}

}  // namespace sluice::player

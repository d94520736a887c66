#include "test/player/origin.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/strings.h"
#include "test/player/http2_origin.h"

namespace sluice::player {

using namespace std::chrono_literals;

Value Record::tell() {
  told = true;
  Value::Map out = facts;
  out.set("ended", ended.empty() ? Value("open") : text(ended));
  return out;
}

Origin::Origin(Stage& stage, test::SimMachine& machine, std::string name, Spec spec, Letters letters,
               const std::string& pki)
    : stage_(stage),
      machine_(machine),
      name_(std::move(name)),
      spec_(spec),
      letters_(letters),
      protocol_(spec["protocol"].text("http1")),
      rules_(spec["respond"].list()) {
  if (protocol_ == "tls") {
    tls_ = TlsLayer::new_server(spec, {}, pki);
  } else if (protocol_ == "https" || protocol_ == "h2") {
    tls_ = TlsLayer::new_server(spec, {protocol_ == "h2" ? "h2" : "http/1.1"}, pki);
  }
}

Origin::~Origin() = default;

void Origin::start() {
  if (socket_ != nullptr || protocol_ == "closed") {
    return;
  }
  const auto port = static_cast<uint16_t>(spec_["port"].number());
  auto bound = machine_.network.bind(*net::Address::from_ip("127.0.0.1", port), {}, 1);
  SLUICE_CHECK(bound.ok());
  socket_ = std::move(*bound);
  acceptor_ = machine_.network.accept(*socket_, 0, [this](std::unique_ptr<net::Transport> transport) {
    wires_.push_back(std::make_unique<Wire>(stage_, machine_, std::move(transport), Wire::Of::kOrigin));
    stage_.spawn(serve(*wires_.back()));
  });
}

void Origin::stop(std::string_view how) {
  acceptor_.reset();
  socket_.reset();
  drop(how);
}

void Origin::drop(std::string_view how) {
  for (const std::unique_ptr<Wire>& wire : wires_) {
    how == "reset" ? wire->reset() : wire->close();
  }
}

void Origin::respond(Spec rules) {
  rules_ = rules.list();
  used_.clear();
}

Task<void> Origin::serve(Wire& wire) {
  if (tls_ != nullptr) {
    wire.secure(TlsLayer::server(tls_));
    (void)co_await wire.until([&wire] { return wire.open(); }, 60s);
    if (!wire.open()) {
      wire.close();
      co_return;
    }
  }
  const uint64_t number = ++connections_;
  if (protocol_ == "tcp" || protocol_ == "tls") {
    co_await serve_tcp(wire, number);
  } else if (protocol_ == "h2c" || protocol_ == "h2") {
    co_await serve_http2(wire, number);
  } else {
    co_await serve_http1(wire, number);
  }
  wire.close();
}

void Origin::cut(Wire& wire, Record& record, std::string_view how) {
  record.ended = "cut";
  how == "reset" ? wire.reset() : wire.close();
}

std::shared_ptr<Record> Origin::begin(const Wire& wire, uint64_t number, std::string_view protocol) {
  auto record = std::make_shared<Record>();
  record->facts.set("origin", name_);
  record->facts.set("conn", player::number(static_cast<double>(number)));
  record->facts.set("protocol", text(protocol));
  if (wire.tls() != nullptr) {
    record->facts.set("tls", wire.tls()->facts());
  }
  log_.push_back(record);
  return record;
}

Spec Origin::rule_for(std::string_view method, std::string_view target, const Pairs& headers) {
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Spec& rule = rules_[i];
    if (rule.has("path") && !target.starts_with(as_bytes(rule["path"].text()))) {
      continue;
    }
    if (rule.has("method") && rule["method"].text() != method) {
      continue;
    }
    if (rule.has("header")) {
      const std::vector<Spec> wanted = rule["header"].list();
      const bool there = std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
        return equal_ignore_case(header.first, wanted[0].text()) && header.second == as_bytes(wanted[1].text());
      });
      if (!there) {
        continue;
      }
    }
    if (rule.has("times") && used_[i] >= rule["times"].size()) {
      continue;
    }
    ++used_[i];
    return rule;
  }
  return {};
}

Origin::Reply Origin::reply(Spec rule, const std::string& request_body) const {
  Reply out{static_cast<int>(rule["status"].number(200)), rule["headers"].pairs(), {}};
  if (rule["echo"].truthy()) {
    out.body = request_body;
  } else if (rule.has("body") || rule.has("body_size") || rule.has("body_base64")) {
    out.body = body_of(rule);
  } else if (out.status != 101 && out.status != 204 && out.status != 304) {
    out.body = as_bytes(cat(name_, "\n"));
  }
  if (!out.body.empty() && !has_header(out.headers, "content-type")) {
    out.headers.emplace_back("content-type", "text/plain");
  }
  return out;
}

Task<void> Origin::serve_tcp(Wire& w, uint64_t number) {
  const std::shared_ptr<Record> record = begin(w, number, protocol_);
  record->facts.set("received", "");
  const Spec rule = rule_for("", "", {});
  const std::string then = rule["then"].text();
  std::string got;
  if (rule["delay_ms"].truthy()) {
    (void)co_await w.until_end(rule["delay_ms"].ms());
  }
  if (rule.has("greet")) {
    w.write(as_bytes(rule["greet"].text()));
  }
  if ((then == "close" || then == "reset") && !rule["after_bytes"].truthy()) {
    co_await stage_.sleep(10ms);
    cut(w, *record, then);
    co_return;
  }
  const bool echo = rule.has("echo") ? rule["echo"].truthy() : !rule.has("reply");
  while (true) {
    const bool came = co_await w.until([&w] { return !w.buf.empty(); }, std::nullopt);
    if (!came) {
      break;
    }
    const std::string data = w.take_all();
    got += data;
    record->facts.set("received", bytes(got));
    if (echo) {
      w.write(data);
    } else if (got.size() == data.size()) {
      w.write(as_bytes(rule["reply"].text()));
    }
    if (rule["after_bytes"].truthy() && got.size() >= rule["after_bytes"].size()) {
      cut(w, *record, then.empty() ? "close" : then);
      co_return;
    }
  }
  if (w.ended == "closed" && rule.has("at_eof")) {
    w.write(as_bytes(rule["at_eof"].text()));
  }
  record->ended = w.ended;
}

}  // namespace sluice::player

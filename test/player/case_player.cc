#include "test/player/case_player.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "base/strings.h"

namespace sluice::player {

using namespace std::chrono_literals;

CasePlayer::CasePlayer(const Spec& spec, uint64_t seed)
    : spec_(spec),
      world_(seed),
      fabric_(world_),
      peers_(fabric_, kHost),
      stage_(world_),
      proxy_(fabric_),
      letters_(spec["keep_case"].truthy() ? Letters::kKept : Letters::kLower) {
  world_.set_wall_start(WallTime{static_cast<int64_t>(spec_["time"].number() * 1e6)});
  for (const auto& [name, value] : spec_["env"].members()) {
    ::setenv(name.c_str(), value.text().c_str(), 1);
  }
  for (const auto& [path, content] : spec_["files"].members()) {
    proxy_.put_file(path, content.text());
  }
  for (const Spec& origin : spec_["origins"].list()) {
    origins_.push_back(
        std::make_unique<Origin>(stage_, peers_, origin["name"].text(), origin, letters_, spec_["pki"].text()));
    if (!origin["stopped"].truthy()) {
      origins_.back()->start();
    }
  }
}

CasePlayer::~CasePlayer() {
  stage_.clear();
  conns_.clear();
  clients_.clear();
  origins_.clear();
  proxy_.end();
  for (const auto& [name, value] : spec_["env"].members()) {
    ::unsetenv(name.c_str());
  }
}

void CasePlayer::fail(std::string why) { failed_ = failed_.empty() ? std::move(why) : failed_; }

Value::Map CasePlayer::play() {
  if (Result<void> started = proxy_.start(spec_["argv"]); !started) {
    Value::Map step;
    step.set("start", "exited");
    step.set("status", number(1));
    steps_.emplace_back(std::move(step));
    fail(cat("proxy did not start: ", started.error()));
  } else {
    stage_.spawn(play_steps());
    while (!finished_) {
      const bool moved = world_.run_until([this] { return finished_ || proxy_.ended(); }, 6h);
      if (proxy_.ended()) {
        proxy_.end();
      } else if (!moved) {
        fail("the case does not end");
        break;
      }
    }
  }
  Value::Map out;
  out.set("steps", std::move(steps_));
  if (!failed_.empty()) {
    out.set("failed", failed_);
  }
  return out;
}

Task<void> CasePlayer::play_steps() {
  const bool wanted = !spec_.has("ready") || spec_["ready"].truthy();
  bool ready = false;
  for (int i = 0; i < 500 && !ready && proxy_.running(); ++i) {
    const Admin answer = co_await ask_admin({.path = "/ready", .limit = 500ms});
    const Value* status = answer.shown.find("status");
    ready = status != nullptr && (!wanted || *status->as_number() == 200);
    co_await stage_.sleep(10ms);
  }
  if (!ready) {
    fail("proxy did not start: not ready");
  }
  for (const Spec& one : spec_["steps"].list()) {
    if (!failed_.empty()) {
      break;
    }
    Value::Map result = co_await step(one);
    Value::List seen = co_await collect(one);
    if (!seen.empty()) {
      result.set("origins", std::move(seen));
    }
    steps_.emplace_back(std::move(result));
    if (!proxy_.running() && !exit_expected_) {
      fail("proxy died");
    }
  }
  close_all();
  if (checks_quiet_ && proxy_.running()) {
    co_await expect_quiet();
  }
  co_await stage_.outside([this] { proxy_.shut_down(); });
  const bool ended = co_await stage_.until([this] { return !proxy_.running(); }, 4s);
  if (!ended) {
    fail("did not end after SIGTERM");
  }
  co_await stage_.sleep(5ms);
  Value::List late;
  for (const auto& origin : origins_) {
    for (const auto& record : origin->log()) {
      if (!record->told) {
        late.push_back(record->tell());
      }
    }
  }
  if (!late.empty()) {
    Value::Map step;
    step.set("origins", std::move(late));
    steps_.emplace_back(std::move(step));
  }
  finished_ = true;
}

void CasePlayer::close_all() {
  for (const auto& [name, client] : conns_) {
    client->wire().close();
  }
}

Task<void> CasePlayer::expect_quiet() {
  static constexpr std::string_view kGauges[] = {".downstream_cx_active", ".downstream_rq_active",
                                                 ".upstream_cx_active", ".upstream_rq_active",
                                                 ".upstream_rq_pending_active"};
  for (const auto& client : clients_) {
    client->wire().close();
  }
  for (const auto& origin : origins_) {
    origin->stop("reset");
  }
  std::string left;
  for (const Duration patience :
       {Duration(10s), Duration(2h)}) {  // a proxy that is its own origin keeps an idle connection
    co_await stage_.sleep(patience);
    const std::string text = co_await stats_text();
    left.clear();
    for (const std::string_view line : split(text, '\n')) {
      const std::string_view name = line.substr(0, line.find(": "));
      const bool counts =
          std::any_of(std::begin(kGauges), std::end(kGauges), [name](auto gauge) { return name.ends_with(gauge); });
      if (counts && name.find(".admin.") == std::string_view::npos && !line.ends_with(": 0")) {
        append(left, left.empty() ? "left behind: " : ", ", line);
      }
    }
    if (left.empty()) {
      co_return;
    }
  }
  fail(left);
}

Task<Value::List> CasePlayer::collect(Spec step) {
  static constexpr std::string_view kNoTraffic[] = {"stats", "log", "admin", "pause_ms", "write", "wait_for"};
  const auto any = [this](auto&& holds) {
    return std::any_of(origins_.begin(), origins_.end(), [&](const auto& origin) {
      return std::any_of(origin->log().begin(), origin->log().end(),
                         [&](const auto& record) { return holds(*origin, *record); });
    });
  };
  const bool traffic =
      std::find(std::begin(kNoTraffic), std::end(kNoTraffic), step["kind"].text()) == std::end(kNoTraffic);
  const bool news = any([](const Origin&, const Record& record) { return !record.ended.empty() && !record.told; });
  if (!traffic && !news) {
    co_return Value::List();
  }
  const auto state = [this] {
    std::string out;
    for (const auto& origin : origins_) {
      append(out, origin->connections(), ":");
      for (const auto& record : origin->log()) {
        append(out, record->ended, ",");
      }
    }
    return out;
  };
  const auto busy = [&any] {
    return any([](const Origin& origin, const Record& record) {
      return record.ended.empty() && !record.left_open && origin.waited_for();
    });
  };
  const Duration quiet = step["settle_ms"].ms(15);
  const MonotonicTime limit = world_.now() + Duration(300ms);
  std::string before = state();
  MonotonicTime since = world_.now();
  while (world_.now() < limit && !(world_.now() - since >= quiet && (!started_.empty() || !busy()))) {
    co_await stage_.sleep(3ms);
    std::string now = state();
    if (now != before) {
      before = std::move(now);
      since = world_.now();
    }
  }
  Value::List out;
  for (const auto& origin : origins_) {
    for (const auto& record : origin->log()) {
      if (record->ended.empty()) {
        record->left_open = true;
      } else if (!record->told) {
        out.push_back(record->tell());
      }
    }
  }
  co_return out;
}

}  // namespace sluice::player

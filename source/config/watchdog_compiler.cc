#include "config/watchdog_compiler.h"

namespace sluice::config {
namespace {

namespace v3 = envoy::config::bootstrap::v3;

void set_time(const v3::Watchdog& proto, int field, bool has, const google::protobuf::Duration& value,
              sluice::Duration& out, CompileScope& scope) {
  if (!has) return;
  out = to_duration(value);
  if (out < sluice::Duration::zero()) scope.error(proto, field, "must not be negative");
}

model::WatchdogPlan compile_watchdog(const v3::Watchdog& proto, CompileScope& scope) {
  using W = v3::Watchdog;
  scope.only(proto,
             {W::kMissTimeoutFieldNumber, W::kMegamissTimeoutFieldNumber, W::kKillTimeoutFieldNumber,
              W::kMaxKillTimeoutJitterFieldNumber, W::kMultikillTimeoutFieldNumber, W::kMultikillThresholdFieldNumber});
  model::WatchdogPlan out;
  set_time(proto, W::kMissTimeoutFieldNumber, proto.has_miss_timeout(), proto.miss_timeout(), out.miss, scope);
  set_time(proto, W::kMegamissTimeoutFieldNumber, proto.has_megamiss_timeout(), proto.megamiss_timeout(), out.mega_miss,
           scope);
  set_time(proto, W::kKillTimeoutFieldNumber, proto.has_kill_timeout(), proto.kill_timeout(), out.kill, scope);
  set_time(proto, W::kMultikillTimeoutFieldNumber, proto.has_multikill_timeout(), proto.multikill_timeout(),
           out.multikill, scope);
  out.kill_jitter = to_duration(proto.max_kill_timeout_jitter());  // validation told of a negative one
  out.multikill_percent = proto.multikill_threshold().value();
  return out;
}

}  // namespace

model::Watchdogs compile_watchdogs(const v3::Bootstrap& proto, CompileScope& scope) {
  if (proto.has_watchdog() && proto.has_watchdogs()) {
    scope.error(proto, v3::Bootstrap::kWatchdogFieldNumber, "is the older form of watchdogs; only one can be set");
  }
  model::Watchdogs out;
  if (proto.has_watchdog()) {
    out.main_thread = out.workers = compile_watchdog(proto.watchdog(), scope);
  } else {
    out.main_thread = compile_watchdog(proto.watchdogs().main_thread_watchdog(), scope);
    out.workers = compile_watchdog(proto.watchdogs().worker_watchdog(), scope);
  }
  return out;
}

}  // namespace sluice::config

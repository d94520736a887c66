#include "proxy/access_log/access_logger.h"

namespace sluice::proxy {

LogSinks::LogSinks(const ProxyLocal& proxy) : proxy_(proxy), bury_(proxy.local.loop.timers(), [this] { bury(); }) {}

LogSinks::User LogSinks::use(const std::string& key, Function<std::unique_ptr<LogSink>()> make) {
  std::unique_ptr<LogSink>& sink = sinks_[key];
  if (sink == nullptr) sink = make();
  ++sink->users_;
  return User(sink.get(), Leave{this});
}

void LogSinks::leave(LogSink& sink) {
  if (--sink.users_ > 0) return;
  sink.flush();
  bury_.arm(kLinger);
}

void LogSinks::bury() {
  std::erase_if(sinks_, [](const auto& entry) { return entry.second->users_ == 0; });
}

void LogSinks::flush() {
  for (const auto& [key, sink] : sinks_) sink->flush();
}

}  // namespace sluice::proxy

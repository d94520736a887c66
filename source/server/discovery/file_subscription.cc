#include "server/discovery/file_subscription.h"

#include "base/log.h"
#include "base/strings.h"

namespace sluice::server {

FileSubscription::FileSubscription(event::Files& files, event::Loop& loop, const model::ConfigSource& source,
                                   config::ResourceUser& user)
    : files_(files),
      path_(source.path),
      watched_(source.directory.empty() ? source.path : cat(source.directory, "/")),
      user_(user),
      start_(loop.timers(), [this] { start(); }) {
  start_.arm(Duration::zero());
}

// Watches, then reads: no change in between is missed.
void FileSubscription::start() {
  if (auto watch = files_.watch(watched_, [this] { read(); })) {
    watch_ = std::move(*watch);
  } else {
    SLUICE_LOG(kWarning, kFile, "changes of ", path_, " will not be seen: ", watch.error());
  }
  read();
}

void FileSubscription::read() {
  Result<std::string> text = files_.read(path_);
  if (!text) {
    user_.on_failure(text.error());
    return;
  }
  config::ResourceUpdate update;
  update.complete = true;
  update.file = path_;
  update.text = std::move(*text);
  user_.on_resources(update);
}

}  // namespace sluice::server

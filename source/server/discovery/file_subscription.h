// FileSubscription: the resources of a file, now and whenever another file takes its place.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "config/subscription.h"
#include "event/files.h"
#include "event/loop.h"
#include "model/config_source.h"

namespace sluice::server {

// Names say nothing here: a file holds what it holds. Owned by the user. Thread: main.
class FileSubscription final : public config::Subscription {
 public:
  FileSubscription(event::Files& files, event::Loop& loop, const model::ConfigSource& source,
                   config::ResourceUser& user);
  void ask(std::set<std::string, std::less<>>) override {}

 private:
  void start();
  void read();

  event::Files& files_;
  const std::string path_, watched_;
  config::ResourceUser& user_;
  std::unique_ptr<event::Watch> watch_;
  event::Timer start_;
};

}  // namespace sluice::server

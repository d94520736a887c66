// LastGood: what control planes sent and was taken, on disk (--last-good-config FILE), so that a restart serves while
// they are away. Secrets are never written.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/subscription.h"
#include "event/files.h"
#include "event/loop.h"
#include "stats/names_discovery.h"
#include "stats/registry.h"
#include "xds/control_plane.h"

namespace sluice::server {

// Owned by the subscriber; outlives its subscriptions. Thread: main (it blocks on its file).
class LastGood {
 public:
  // After a change the file is written so much later, once for all changes meanwhile.
  static constexpr Duration kWriteAfter = std::chrono::seconds(5);

  // Reads the file. One that is not there, or is damaged, is no error: there is nothing to fall back on.
  LastGood(event::Files& files, event::Loop& loop, std::string path, stats::Registry& registry,
           stats::WorkerCells& cells);
  ~LastGood();
  LastGood(const LastGood&) = delete;
  LastGood& operator=(const LastGood&) = delete;

  // Makes a subscription. What it brings is kept; when it fails before it brought anything, the user is told what was
  // kept. `make` is called once, here, with the user that is to hear of it.
  using Make = Function<std::unique_ptr<config::Subscription>(xds::Interest, config::ResourceUser&)>;
  std::unique_ptr<config::Subscription> keep(xds::Interest interest, config::ResourceUser& user, Make make);

  // Subscriptions whose user lives on what was kept.
  uint32_t stale() const { return stale_; }
  // The process ends: writes what is not written, and keeps everything that its users let go of from now on.
  void freeze();

 private:
  class Kept;
  using Key = std::pair<config::ResourceType, std::string>;

  void load();
  void save();
  void changed();
  void take(const xds::Interest& interest, const config::ResourceUpdate& update);
  // Of this interest; without resources when there are none.
  config::ResourceUpdate kept(const xds::Interest& interest) const;
  void add_user(const Key& key) { ++users_[key]; }
  void remove_user(const Key& key);
  void add_stale(int change);

  event::Files& files_;
  event::Loop& loop_;
  const std::string path_;
  stats::Registry& registry_;
  const stats::BlockId stats_;
  stats::Block<stats::LastGoodStat> block_;
  std::map<Key, config::Resource> kept_;
  std::map<Key, uint32_t> users_;  // of single names
  uint32_t stale_ = 0;
  bool away_ = false;  // the last that was heard of control planes is a failure
  bool frozen_ = false;
  event::Timer write_;
};

// The file: "sluice last good 1\n", for each resource its type as a byte and four texts (name, version, type URL,
// body), each behind its length in 4 bytes, little-endian, and in the end xxHash64 of everything before. For tests.
std::string write_resources(const std::map<std::pair<config::ResourceType, std::string>, config::Resource>& resources);
// Nothing of a damaged file is used.
bool read_resources(std::string_view text,
                    std::map<std::pair<config::ResourceType, std::string>, config::Resource>& out);

}  // namespace sluice::server

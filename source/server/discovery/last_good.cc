#include "server/discovery/last_good.h"

#include <set>
#include <vector>

#include "base/hash.h"
#include "base/log.h"
#include "base/strings.h"

namespace sluice::server {

using config::ResourceType;
using config::ResourceUpdate;
using stats::LastGoodStat;
using xds::Interest;

namespace {

constexpr std::string_view kMagic = "sluice last good 1\n";

void put_number(std::string& to, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(number >> (8 * i) & 0xff);
}
void put_text(std::string& to, std::string_view text) {
  put_number(to, text.size(), 4);
  to += text;
}
uint64_t number_in(std::string_view bytes) {
  uint64_t out = 0;
  for (size_t i = bytes.size(); i > 0; --i) out = out << 8 | static_cast<uint8_t>(bytes[i - 1]);
  return out;
}
bool take_text(std::string_view& from, std::string& out) {
  if (from.size() < 4) return false;
  const uint64_t size = number_in(from.substr(0, 4));
  if (from.size() - 4 < size) return false;
  out = from.substr(4, size);
  from.remove_prefix(4 + size);
  return true;
}

bool is_kept(const Interest& interest) {
  return interest.type != ResourceType::kSecret && interest.scope != Interest::Scope::kUnder;
}

}  // namespace

std::string write_resources(const std::map<std::pair<ResourceType, std::string>, config::Resource>& resources) {
  std::string out(kMagic);
  for (const auto& [key, resource] : resources) {
    out += static_cast<char>(key.first);
    for (const std::string* text : {&resource.name, &resource.version, &resource.type_url, &resource.body}) {
      put_text(out, *text);
    }
  }
  put_number(out, xxhash64(out), 8);
  return out;
}

bool read_resources(std::string_view text, std::map<std::pair<ResourceType, std::string>, config::Resource>& out) {
  if (!text.starts_with(kMagic) || text.size() < kMagic.size() + 8) return false;
  const std::string_view sum = text.substr(text.size() - 8);
  text.remove_suffix(8);
  if (number_in(sum) != xxhash64(text)) return false;
  text.remove_prefix(kMagic.size());
  std::map<std::pair<ResourceType, std::string>, config::Resource> read;
  while (!text.empty()) {
    const auto type = static_cast<uint8_t>(text.front());
    text.remove_prefix(1);
    config::Resource one;
    if (type >= xds::kResourceTypes || !take_text(text, one.name) || !take_text(text, one.version) ||
        !take_text(text, one.type_url) || !take_text(text, one.body)) {
      return false;
    }
    std::string name = one.name;
    read.emplace(std::pair(static_cast<ResourceType>(type), std::move(name)), std::move(one));
  }
  out = std::move(read);
  return true;
}

// Between a subscription and its user. Thread: main.
class LastGood::Kept final : public config::Subscription, private config::ResourceUser {
 public:
  Kept(LastGood& owner, Interest interest, config::ResourceUser& user, Make make)
      : owner_(owner),
        interest_(std::move(interest)),
        user_(user),
        soon_(owner.loop_.timers(), [this] { fall_back(); }) {
    for (const std::string& name : interest_.names) owner_.add_user({interest_.type, name});
    inner_ = make(interest_, *this);
    if (owner_.away_) soon_.arm(Duration::zero());
  }
  ~Kept() override {
    inner_.reset();
    if (stale_) owner_.add_stale(-1);
    for (const std::string& name : interest_.names) owner_.remove_user({interest_.type, name});
  }

  void ask(std::set<std::string, std::less<>> names) override {
    for (const std::string& name : names) owner_.add_user({interest_.type, name});
    for (const std::string& name : interest_.names) owner_.remove_user({interest_.type, name});
    interest_.names = names;
    inner_->ask(std::move(names));
  }

 private:
  std::string on_resources(const ResourceUpdate& update) override {
    owner_.away_ = false;
    soon_.cancel();
    std::string answer;
    if (stale_ && interest_.scope == Interest::Scope::kEverything && !update.complete) {
      // A delta says what is, not what was on the disk only.
      ResourceUpdate whole = update;
      whole.complete = true;
      answer = user_.on_resources(whole);
      if (answer.empty()) owner_.take(interest_, whole);
    } else {
      answer = user_.on_resources(update);
      if (answer.empty()) owner_.take(interest_, update);
    }
    came();
    return answer;
  }
  void on_rejected(std::string_view why) override {
    owner_.away_ = false;
    soon_.cancel();
    user_.on_rejected(why);
    fall_back();
  }
  void on_failure(std::string_view why) override {
    owner_.away_ = true;
    user_.on_failure(why);
    fall_back();
  }
  void on_timeout() override {
    if (!fall_back()) user_.on_timeout();
  }

  void came() {
    came_ = true;
    if (std::exchange(stale_, false)) owner_.add_stale(-1);
  }
  // Whether the user has what was kept.
  bool fall_back() {
    if (came_ || stale_) return stale_;
    const ResourceUpdate update = owner_.kept(interest_);
    if (update.resources.empty()) return false;
    stale_ = true;
    owner_.add_stale(1);
    (void)user_.on_resources(update);
    return true;
  }

  LastGood& owner_;
  Interest interest_;
  config::ResourceUser& user_;
  std::unique_ptr<config::Subscription> inner_;
  bool came_ = false;   // the control plane answered
  bool stale_ = false;  // the user has what was kept
  event::Timer soon_;
};

LastGood::LastGood(event::Files& files, event::Loop& loop, std::string path, stats::Registry& registry,
                   stats::WorkerCells& cells)
    : files_(files),
      loop_(loop),
      path_(std::move(path)),
      registry_(registry),
      stats_(registry.add_block<LastGoodStat>("last_good.")),
      block_(cells.block<LastGoodStat>(stats_)),
      write_(loop.timers(), [this] { save(); }) {
  load();
}

LastGood::~LastGood() { registry_.release_block(stats_); }

void LastGood::load() {
  const Result<std::string> text = files_.read(path_);
  if (!text) {
    SLUICE_LOG(kInfo, kConfig, "last good configuration: ", text.error());
  } else if (read_resources(*text, kept_)) {
    SLUICE_LOG(kInfo, kConfig, "last good configuration: ", kept_.size(), " resources in ", path_);
  } else {
    SLUICE_LOG(kWarning, kConfig, "last good configuration: ", path_, " is damaged, nothing of it is used");
  }
  block_.set(LastGoodStat::kResources, kept_.size());
}

void LastGood::changed() {
  block_.set(LastGoodStat::kResources, kept_.size());
  if (!write_.armed()) write_.arm(kWriteAfter);
}

void LastGood::save() {
  if (Result<void> done = files_.replace(path_, write_resources(kept_)); !done) {
    block_.inc(LastGoodStat::kWriteFailed);
    SLUICE_LOG(kWarning, kConfig, "last good configuration: ", done.error());
    return;
  }
  block_.inc(LastGoodStat::kWritten);
}

void LastGood::freeze() {
  if (std::exchange(frozen_, true)) return;
  if (write_.armed()) {
    write_.cancel();
    save();
  }
}

std::unique_ptr<config::Subscription> LastGood::keep(Interest interest, config::ResourceUser& user, Make make) {
  if (!is_kept(interest)) return make(std::move(interest), user);
  return std::make_unique<Kept>(*this, std::move(interest), user, std::move(make));
}

void LastGood::take(const Interest& interest, const ResourceUpdate& update) {
  if (frozen_) return;
  if (update.complete && interest.scope == Interest::Scope::kEverything) {
    std::set<std::string_view> named;
    for (const config::Resource& one : update.resources) named.insert(one.name);
    std::erase_if(kept_, [&](const auto& entry) {
      return entry.first.first == interest.type && !named.contains(entry.first.second);
    });
  }
  for (const std::string& name : update.removed) kept_.erase({interest.type, name});
  for (const config::Resource& one : update.resources) {
    if (!one.has_body) continue;
    kept_[{interest.type, one.name}] = one;
  }
  changed();
}

ResourceUpdate LastGood::kept(const Interest& interest) const {
  ResourceUpdate out;
  out.control_plane = path_;
  const auto add = [&out](const config::Resource& one) {
    out.version = one.version;
    out.resources.push_back(one);
  };
  if (interest.scope == Interest::Scope::kEverything) {
    out.complete = true;
    for (auto at = kept_.lower_bound({interest.type, {}}); at != kept_.end() && at->first.first == interest.type;
         ++at) {
      add(at->second);
    }
  } else {
    for (const std::string& name : interest.names) {
      if (const auto known = kept_.find({interest.type, name}); known != kept_.end()) add(known->second);
    }
  }
  return out;
}

// What nobody asks for any more is not kept.
void LastGood::remove_user(const Key& key) {
  const auto found = users_.find(key);
  if (--found->second > 0) return;
  users_.erase(found);
  if (!frozen_ && kept_.erase(key) > 0) changed();
}

void LastGood::add_stale(int change) {
  stale_ = static_cast<uint32_t>(static_cast<int>(stale_) + change);
  block_.set(LastGoodStat::kStale, stale_);
}

}  // namespace sluice::server

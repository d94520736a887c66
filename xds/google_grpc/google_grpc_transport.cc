#include "xds/google_grpc/google_grpc_transport.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "stats/names_discovery.h"
#include "xds/google_grpc/channel.h"

namespace sluice::xds {
namespace {

using grpc::ByteBuffer;
using stats::GoogleGrpcStat;

constexpr size_t kMostQueued = 64u << 20;  // bytes of requests that the control plane does not take

std::string text_of(const ByteBuffer& buffer) {
  std::string out;
  std::vector<grpc::Slice> slices;
  if (buffer.Dump(&slices).ok()) {
    out.reserve(buffer.Length());
    for (const grpc::Slice& slice : slices) {
      out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return out;
}

// What the calls of a transport share. Lives as long as the last of them.
struct Calls {
  explicit Calls(event::Loop& to) : loop(to) {}

  event::Loop& loop;
  std::optional<stats::Block<GoogleGrpcStat>> counts;  // main's; none: the transport is gone
  std::mutex mutex;
  std::condition_variable left;
  size_t live = 0;  // under the mutex: calls that gRPC has not ended
};

// One stream. gRPC calls On...() on threads of its own, these post to main, where everything else runs. A hold keeps
// gRPC from ending the call while main may still start something on it. Alive as long as gRPC (self_), main or a post
// needs it.
class Call final : public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  Call(std::shared_ptr<Calls> calls, AdsStreamOwner& owner) : calls_(std::move(calls)), owner_(&owner) {}

  // ---- main
  static std::shared_ptr<Call> open(const std::shared_ptr<Calls>& calls, grpc::GenericStub& stub, std::string_view path,
                                    const std::vector<RequestField>& metadata, AdsStreamOwner& owner) {
    const auto call = std::make_shared<Call>(calls, owner);
    call->self_ = call;
    for (const RequestField& field : metadata) {
      call->context_.AddMetadata(field.name, field.value);
    }
    {
      const std::lock_guard lock(calls->mutex);
      ++calls->live;
    }
    stub.PrepareBidiStreamingCall(&call->context_, std::string(path), {}, call.get());
    call->AddHold();
    call->StartRead(&call->in_);
    call->StartCall();
    return call;
  }

  void send(std::string message) {
    const std::lock_guard lock(mutex_);
    if (over_) {
      return;
    }
    queued_ += message.size();
    if (queued_ > kMostQueued) {
      context_.TryCancel();
      return;
    }
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) {
      write_first();
    }
  }

  void leave() {
    owner_ = nullptr;
    context_.TryCancel();
    let_end();
  }

 private:
  // ---- threads of gRPC
  void OnReadDone(bool ok) override {
    if (!ok) {
      calls_->loop.post([call = self_] { call->let_end(); });
      return;
    }
    calls_->loop.post([call = self_, message = text_of(in_)] { call->received(message); });
  }
  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    queued_ -= queue_.front().size();
    queue_.pop_front();
    if (ok && !over_ && !queue_.empty()) {
      write_first();
    }
  }
  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<Calls> calls = calls_;
    std::shared_ptr<Call> self = std::move(self_);
    calls->loop.post([call = std::move(self), status] { call->ended(status); });
    const std::lock_guard lock(calls->mutex);
    --calls->live;
    calls->left.notify_all();
  }

  // ---- main
  void received(std::string_view message) {
    if (owner_ != nullptr) {
      owner_->on_message(message);
    }
    if (!over_) {  // only main sets it
      StartRead(&in_);
    }
  }
  void ended(const grpc::Status& status) {
    AdsStreamOwner* owner = std::exchange(owner_, nullptr);
    if (owner == nullptr) {
      return;
    }
    const auto code = static_cast<int>(status.error_code());
    if (calls_->counts && code >= 0 && code <= grpc::StatusCode::UNAUTHENTICATED) {
      calls_->counts->inc(static_cast<GoogleGrpcStat>(static_cast<int>(GoogleGrpcStat::kStreamsClosed0) + code));
    }
    owner->on_end(code, status.error_message());
  }
  void let_end() {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(over_, true)) {
        return;
      }
    }
    RemoveHold();
  }

  // Under the mutex.
  void write_first() {
    const grpc::Slice slice(queue_.front());
    out_ = ByteBuffer(&slice, 1);
    StartWrite(&out_);
  }

  const std::shared_ptr<Calls> calls_;
  AdsStreamOwner* owner_;  // main's; null: nobody listens any more
  std::shared_ptr<Call> self_;
  grpc::ClientContext context_;
  ByteBuffer in_, out_;
  std::mutex mutex_;
  bool over_ = false;              // nothing more is started
  std::deque<std::string> queue_;  // the first is being written
  size_t queued_ = 0;
};

// Thread: main.
class GoogleGrpcStream final : public AdsStream {
 public:
  explicit GoogleGrpcStream(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  ~GoogleGrpcStream() override { call_->leave(); }
  void send(std::string message) override { call_->send(std::move(message)); }

 private:
  const std::shared_ptr<Call> call_;
};

// Thread: main.
class GoogleGrpcTransport final : public AdsTransport {
 public:
  GoogleGrpcTransport(const model::GoogleGrpc& service, event::Loop& loop, stats::Registry& registry,
                      stats::WorkerCells& cells)
      : calls_(std::make_shared<Calls>(loop)), stub_(open_channel(service)) {
    calls_->counts =
        cells.block<GoogleGrpcStat>(registry.add_block<GoogleGrpcStat>("grpc." + service.stat_prefix + "."));
    calls_->counts->inc(GoogleGrpcStat::kClientCreation);
  }
  // Its streams are gone, so that their calls are cancelled: gRPC ends them without waiting for anybody.
  ~GoogleGrpcTransport() override {
    calls_->counts.reset();
    std::unique_lock lock(calls_->mutex);
    calls_->left.wait(lock, [this] { return calls_->live == 0; });
  }

  std::unique_ptr<AdsStream> open_stream(std::string_view path, const std::vector<RequestField>& metadata,
                                         AdsStreamOwner& owner) override {
    calls_->counts->inc(GoogleGrpcStat::kStreamsTotal);
    return std::make_unique<GoogleGrpcStream>(Call::open(calls_, stub_, path, metadata, owner));
  }
  std::unique_ptr<AdsFetch> fetch(FetchRequest, AdsFetchOwner&) override {
    SLUICE_CHECK(false && "REST goes over clusters");
    return nullptr;
  }

 private:
  const std::shared_ptr<Calls> calls_;
  grpc::GenericStub stub_;
};

}  // namespace

std::unique_ptr<AdsTransport> make_google_grpc_transport(const model::GoogleGrpc& service, event::Loop& loop,
                                                         stats::Registry& registry, stats::WorkerCells& cells) {
  return std::make_unique<GoogleGrpcTransport>(service, loop, registry, cells);
}

}  // namespace sluice::xds

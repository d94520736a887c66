#include "buffer/buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace sluice::buffer {

Buffer::Buffer(Buffer&& other) noexcept : pool_(other.pool_) { steal(other); }

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    clear();
    if (list_ != inline_) {
      delete[] list_;
      list_ = inline_;
      capacity_ = kInline;
    }
    pool_ = other.pool_;
    steal(other);
  }
  return *this;
}

void Buffer::steal(Buffer& other) {
  first_ = other.first_;
  count_ = other.count_;
  size_ = other.size_;
  borrowed_ = other.borrowed_;
  if (other.list_ == other.inline_) {
    std::copy(other.inline_, other.inline_ + kInline, inline_);
  } else {
    list_ = std::exchange(other.list_, other.inline_);
    capacity_ = std::exchange(other.capacity_, kInline);
  }
  other.first_ = other.count_ = 0;
  other.size_ = 0;
  other.borrowed_ = false;
}

void Buffer::make_room() {
  if (first_ > 0 && (first_ >= count_ || list_ == inline_)) {  // not for one free place: that would be quadratic
    std::copy(begin(), begin() + count_, list_);
  } else {
    auto* bigger = new Fragment[capacity_ * 2];
    std::copy(begin(), begin() + count_, bigger);
    if (list_ != inline_) {
      delete[] list_;
    }
    list_ = bigger;
    capacity_ *= 2;
  }
  first_ = 0;
}

void Buffer::pop_front() {
  Fragment& fragment = *begin();
  size_ -= fragment.size;
  if (fragment.slab != nullptr) {
    SlabPool::release(fragment.slab);
  }
  ++first_;
  if (--count_ == 0) {
    first_ = 0;
    borrowed_ = false;
  }
}

void Buffer::append_borrowed_parts(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t part = std::min<size_t>(bytes.size(), UINT32_MAX / 2);
    push_back({const_cast<char*>(bytes.data()), static_cast<uint32_t>(part), nullptr});
    bytes.remove_prefix(part);
    borrowed_ = true;
  }
}

void Buffer::append_borrowed_from(const Buffer& other) {
  for (uint32_t i = 0; i < other.count_; ++i) {
    append_borrowed({other.begin()[i].data, other.begin()[i].size});
  }
}

void Buffer::append_copy_of(const Buffer& other) {
  for (uint32_t i = 0; i < other.count_; ++i) {
    append_copy({other.begin()[i].data, other.begin()[i].size});
  }
}

char* Buffer::reserve_slab(size_t bytes) {
  Slab* slab = pool_->take_whole(bytes);
  push_back({slab->data(), 0, slab});
  return slab->data();
}

void Buffer::append_copy(std::string_view bytes) {
  if (count_ > 0 && !bytes.empty()) {  // fill the last slab first
    Fragment& tail = last();
    if (tail.slab != nullptr && tail.data + tail.size == tail.slab->data() + tail.slab->used) {
      const size_t part = std::min<size_t>(tail.slab->room(), bytes.size());
      std::memcpy(tail.data + tail.size, bytes.data(), part);
      tail.size += static_cast<uint32_t>(part);
      tail.slab->used += static_cast<uint32_t>(part);
      size_ += part;
      bytes.remove_prefix(part);
    }
  }
  while (!bytes.empty()) {
    Slab* slab = pool_->take(bytes.size());
    const size_t part = std::min<size_t>(slab->room(), bytes.size());
    std::memcpy(slab->data(), bytes.data(), part);
    slab->used = static_cast<uint32_t>(part);
    push_back({slab->data(), static_cast<uint32_t>(part), slab});
    bytes.remove_prefix(part);
  }
}

void Buffer::move_from(Buffer& other, size_t bytes) {
  bytes = std::min(bytes, other.size_);
  if (count_ == 0 && bytes == other.size_ && list_ == inline_ && pool_ == other.pool_) {
    steal(other);
    return;
  }
  while (bytes > 0) {
    Fragment& fragment = *other.begin();
    if (fragment.size <= bytes) {
      if (fragment.slab != nullptr) {
        ++fragment.slab->references;
      }
      borrowed_ |= fragment.slab == nullptr;
      bytes -= fragment.size;
      push_back(fragment);
      other.pop_front();
    } else {
      if (fragment.slab != nullptr) {
        ++fragment.slab->references;
      }
      borrowed_ |= fragment.slab == nullptr;
      push_back({fragment.data, static_cast<uint32_t>(bytes), fragment.slab});
      other.drain(bytes);
      bytes = 0;
    }
  }
}

void Buffer::own() {
  if (!borrowed_) {
    return;
  }
  Buffer copy(*pool_);
  for (uint32_t i = 0; i < count_; ++i) {
    const Fragment& fragment = begin()[i];
    if (fragment.slab == nullptr) {
      copy.append_copy({fragment.data, fragment.size});
    } else {
      ++fragment.slab->references;
      copy.push_back(fragment);
    }
  }
  *this = std::move(copy);
}

void Buffer::drain_fragments(size_t bytes) {
  SLUICE_DCHECK(bytes <= size_);
  while (bytes > 0) {
    Fragment& fragment = *begin();
    if (fragment.size > bytes) {
      fragment.data += bytes;
      fragment.size -= static_cast<uint32_t>(bytes);
      size_ -= bytes;
      return;
    }
    bytes -= fragment.size;
    pop_front();
  }
}

void Buffer::clear_all() {
  while (count_ > 0) {
    pop_front();
  }
  if (list_ != inline_) {
    delete[] std::exchange(list_, inline_);
    capacity_ = kInline;
  }
  first_ = 0;
}

size_t Buffer::fragments(iovec* out, size_t max) const {
  const size_t n = std::min<size_t>(max, count_);
  for (size_t i = 0; i < n; ++i) {
    out[i] = {begin()[i].data, begin()[i].size};
  }
  return n;
}

size_t Buffer::copy_out(char* to, size_t bytes) const {
  size_t done = 0;
  for (uint32_t i = 0; i < count_ && done < bytes; ++i) {
    const size_t part = std::min<size_t>(begin()[i].size, bytes - done);
    std::memcpy(to + done, begin()[i].data, part);
    done += part;
  }
  return done;
}

std::string_view Buffer::linearize(size_t bytes) {
  SLUICE_DCHECK(bytes <= size_);
  if (count_ == 0 || begin()->size >= bytes) {
    return front().substr(0, bytes);
  }
  SLUICE_CHECK(bytes <= SlabPool::kLarge - sizeof(Slab));
  Slab* slab = pool_->take(bytes);
  copy_out(slab->data(), bytes);
  slab->used = static_cast<uint32_t>(bytes);
  drain(bytes);
  // The drained fragments left room at the front of the list, except when only a part of one was drained.
  if (first_ == 0) {
    push_back({nullptr, 0, nullptr});
    std::copy_backward(begin(), begin() + count_ - 1, begin() + count_);
  } else {
    --first_;
    ++count_;
  }
  *begin() = {slab->data(), static_cast<uint32_t>(bytes), slab};
  size_ += bytes;
  return front();
}

std::string Buffer::to_string() const {
  std::string out(size_, '\0');
  copy_out(out.data(), size_);
  return out;
}

}  // namespace sluice::buffer

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of AF_UNIX sockets: socket files, abstract names, autobind.
 *
 * A socket with a path is found by the inode of its socket file, so renaming
 * and linking the file keep working and removing it leaves those connected
 * alone.  Abstract names are compared as bytes; each type of socket has a
 * name space of its own.
 */
#include "kernel/net/unix.h"
#include <linux/fcntl.h>
#include <linux/un.h>
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/net/unix_internal.h"

#define NAME_AT     2u /* where sun_path begins */
#define TYPE_SOCKET 0140000u

static_assert(
    UNIX_PATH_MAX == sizeof(((struct sockaddr_un *)0)->sun_path), "linux/un.h");

static struct list names = LIST_INIT(names); /* [u] */

static int check(const struct sock_addr *a)
{
	if (a->len <= NAME_AT || a->len > sizeof(struct sockaddr_un) ||
	    a->family != AF_UNIX)
		return -EINVAL;
	return 0;
}

bool unix_path(const struct sock_addr *a, char path[UNIX_PATH_MAX + 1])
{
	if (check(a) || !a->bytes[NAME_AT])
		return false;
	memcpy(path, a->bytes + NAME_AT, a->len - NAME_AT);
	path[a->len - NAME_AT] = 0;
	return true;
}

int unix_target_find(struct unix_target *t, const struct sock_addr *a)
{
	char path[UNIX_PATH_MAX + 1];
	struct dentry *d;
	int err = check(a);

	*t = (struct unix_target){.addr = a};
	if (err || !unix_path(a, path))
		return err;
	err = path_find(AT_FDCWD, path, 0, &d);
	if (err)
		return err;
	err = inode_may(d->inode, MAY_WRITE);
	if (!err && inode_type(d->inode) != TYPE_SOCKET)
		err = -ECONNREFUSED;
	if (!err) {
		t->inode = d->inode;
		inode_ref(t->inode);
	}
	dentry_put(d);
	return err;
}

void unix_target_end(struct unix_target *t)
{
	if (t->inode)
		inode_put(t->inode);
}

static bool same_name(const struct sock_addr *a, const struct sock_addr *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static struct unix_sock *abstract_locked(const struct sock_addr *a, int type)
{
	struct unix_sock *u;

	list_for_each (u, &names, node)
		if (!u->inode && u->s->type == type &&
		    same_name(&u->s->local, a))
			return u;
	return NULL;
}

struct unix_sock *unix_target_locked(
    const struct unix_target *t, int type, int *err)
{
	struct unix_sock *u, *found = NULL;

	*err = -ECONNREFUSED;
	if (!t->inode)
		return abstract_locked(t->addr, type);
	list_for_each (u, &names, node)
		if (u->inode == t->inode)
			found = u;
	if (found && found->s->type != type) {
		*err = -EPROTOTYPE;
		return NULL;
	}
	return found;
}

static void name_locked(struct unix_sock *u, const struct sock_addr *a)
{
	u->s->local = *a;
	u->s->bound = true;
	list_push_back(&names, &u->node);
}

int unix_bind_inode(
    struct socket *s, const struct sock_addr *a, struct inode *i)
{
	struct unix_sock *u = unix_of(s);
	struct sock_addr name = *a;
	int err = -EINVAL;

	/* Up to the NUL, and that included, as Linux gives it back. */
	name.len = NAME_AT + 1 +
		   (uint32_t)strnlen(
		       (const char *)a->bytes + NAME_AT, a->len - NAME_AT);
	name.bytes[name.len - 1] = 0;
	spin_lock(&unix_lock);
	if (!s->bound) {
		u->inode = i;
		name_locked(u, &name);
		err = 0;
	}
	spin_unlock(&unix_lock);
	return err;
}

int unix_autobind(struct socket *s)
{
	static uint32_t next; /* [u] */
	struct sock_addr a = {.len = NAME_AT + 6, .family = AF_UNIX};
	char digits[8];

	spin_lock(&unix_lock);
	while (!s->bound) {
		ksnprintf(digits, sizeof(digits), "%05x", next++ & 0xfffff);
		memcpy(a.bytes + NAME_AT + 1, digits, 5);
		if (!abstract_locked(&a, s->type))
			name_locked(unix_of(s), &a);
	}
	spin_unlock(&unix_lock);
	return 0;
}

int unix_bind(struct socket *s, const struct sock_addr *a)
{
	int err = 0;

	if (a->len == NAME_AT && a->family == AF_UNIX)
		return unix_autobind(s);
	err = check(a);
	if (err)
		return err;
	spin_lock(&unix_lock);
	if (s->bound)
		err = -EINVAL;
	else if (abstract_locked(a, s->type))
		err = -EADDRINUSE;
	else
		name_locked(unix_of(s), a);
	spin_unlock(&unix_lock);
	return err;
}

void unix_unbind_locked(struct unix_sock *u, struct inode **inode)
{
	list_remove(&u->node);
	*inode = u->inode;
	u->inode = NULL;
}

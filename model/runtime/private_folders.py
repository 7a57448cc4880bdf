"""Whether other users of this machine can change what lies in a folder."""

import functools
import grp
import os
import pwd
import stat

MAX_LINKS = 40  # on the way to a folder, as Linux has it


def find_intruder(folder: str, *, suffixes: tuple[str, ...] = ()) -> str | None:
    """The first place on the way to a folder where another user could change what lies in it.

    Every folder of the path, and every symbolic link, has to belong to this user or to root, and
    no other user may write there. A parent such as /tmp, where everybody can write but nobody can
    rename what belongs to others (the sticky bit), is fine. A group that has no other member does
    not count as others, because on many systems users have a group of their own that may write.
    Access control lists are not read.

    Args:
        folder: a path; what is missing of it is not judged.
        suffixes: the files in the folder whose names end so are judged, too.

    Returns:
        A sentence's subject and verb, such as `/shared can be written by others`; or None.
    """
    place, facts = "/", os.lstat("/")
    parts = os.path.join(os.getcwd(), folder).split("/")[::-1]
    links = 0
    while True:
        if problem := _judge(place, facts, sticky_is_fine=any(parts)):
            return problem
        if not parts:
            return _judge_files(place, facts, suffixes)
        entry = os.path.normpath(os.path.join(place, parts.pop()))
        try:
            facts = os.lstat(entry)
        except OSError:  # not there, or not for this user
            return None
        if not stat.S_ISLNK(facts.st_mode):
            place = entry
            continue
        links += 1
        if facts.st_uid not in _owners() or links > MAX_LINKS:
            return f"the link {entry} belongs to {_user_name(facts.st_uid)}"
        target = os.readlink(entry)
        parts += target.split("/")[::-1]
        place = "/" if target.startswith("/") else place
        facts = os.lstat(place)


def _judge(place: str, facts: os.stat_result, *, sticky_is_fine: bool) -> str | None:
    if facts.st_uid not in _owners():
        return f"{place} belongs to {_user_name(facts.st_uid)}"
    if _others_write(facts) and not (sticky_is_fine and facts.st_mode & stat.S_ISVTX):
        return f"{place} can be written by others"
    return None


def _judge_files(place: str, folder: os.stat_result, suffixes: tuple[str, ...]) -> str | None:
    """Others cannot write a file, whatever its mode, in a folder that they cannot enter."""
    entered = folder.st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    if not suffixes or not stat.S_ISDIR(folder.st_mode):
        return None
    for name in os.listdir(place):
        if not name.endswith(suffixes):
            continue
        path = os.path.join(place, name)
        facts = os.lstat(path)
        if not stat.S_ISREG(facts.st_mode):
            return f"{path} is not a regular file"
        if facts.st_uid not in _owners():
            return f"{path} belongs to {_user_name(facts.st_uid)}"
        if entered and _others_write(facts):
            return f"{path} can be written by others"
    return None


def _others_write(facts: os.stat_result) -> bool:
    if facts.st_mode & stat.S_IWOTH:
        return True
    return bool(facts.st_mode & stat.S_IWGRP) and not _has_no_other_member(facts.st_gid)


def _owners() -> tuple[int, int]:
    return 0, os.geteuid()


def _user_name(user: int) -> str:
    try:
        return f"user {pwd.getpwuid(user).pw_name}"
    except KeyError:  # as in a container, for the owner of a volume
        return f"user {user}"


@functools.cache
def _has_no_other_member(group: int) -> bool:
    """Whether a group is this user's own, named as the user is, or root's, and lists no other."""
    try:
        facts = grp.getgrgid(group)
        names = {"root", pwd.getpwuid(os.geteuid()).pw_name}
    except KeyError:
        return False
    return facts.gr_name in names and names.issuperset(facts.gr_mem)

"""Which of a trial's processes this one is: launchers such as torchrun start several."""
import os
from typing import TYPE_CHECKING, Union

from libpbt._channel import Channel, way

if TYPE_CHECKING:
    from libpbt._group import Follower


def world_size() -> int:
    """More than 1 only behind a launcher: what else has such variables is none of ours."""
    return int(os.environ.get('WORLD_SIZE', '1')) if way is not None else 1


def rank() -> int:
    return int(os.environ['RANK']) if world_size() > 1 else 0


def local_rank() -> int:
    return int(os.environ.get('LOCAL_RANK', rank())) if world_size() > 1 else 0


def open_channel() -> 'Union[Channel, Follower]':
    if world_size() == 1:
        return Channel()
    from libpbt import _group
    return _group.Leader() if rank() == 0 else _group.Follower()

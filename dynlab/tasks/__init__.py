"""Questions from files, their wording, and how answers are taken out and compared.

May import `_util`.
"""

from dynlab.tasks.answers import extract, is_right, normalise
from dynlab.tasks.prompts import Chat, Completion
from dynlab.tasks.task import Task, load_task

__all__ = ["Chat", "Completion", "Task", "extract", "is_right", "load_task", "normalise"]

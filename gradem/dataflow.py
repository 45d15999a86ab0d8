"""Which statements of a program matter: liveness, and what follows from it.

A variable is live at a point if its value there may still be read. Going backwards through a
program, reading makes a variable live and assigning ends that; an assignment to a variable that
is not live is dead and is dropped (Aho, Lam, Sethi & Ullman 2006, section 9.2.5). In a program
that contains a reverse sweep the same analysis tells which values must be recorded: those that
are overwritten while the sweep will still read them, the to-be-recorded analysis of Hascoet,
Naumann & Pascual (2005). So the generator may record everything, and what no adjoint needs is
dropped here.

Programs are lists of Python's syntax trees (`ast`), of the statements that `gradem.anf` makes.
"""

import ast

from gradem.syntax import (changed, is_check, is_pop, mapped, reads, replaced, stores,
                           substituted)


# ---- liveness ---------------------------------------------------------------------------------


def pruned(block, live):
    """Drop dead statements.

    Parameters
    ----------
    block : list of ast.stmt
    live : set of str
        The variables that are read afterwards.

    Returns
    -------
    kept : list of ast.stmt
    live : set of str
        The variables whose value before the block may be read.
    """
    kept = []
    for statement in reversed(block):
        statement, live = _pruned_statement(statement, set(live))
        if statement is not None:
            kept.append(statement)
    return kept[::-1], live


def _pruned_statement(statement, live):
    """The statement, or None if it is dead; and what is live before it."""
    if isinstance(statement, ast.Return):
        return statement, reads(statement)
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        return _pruned_assignment(statement, live)
    if isinstance(statement, ast.If):
        body, after_body = pruned(statement.body, live)
        orelse, after_orelse = pruned(statement.orelse, live)
        if not body and not orelse:
            return None, live
        return (changed(statement, body=body or [ast.Pass()], orelse=orelse),
                after_body | after_orelse | reads(statement.test))
    if isinstance(statement, (ast.For, ast.While)):
        return _pruned_loop(statement, live)
    if isinstance(statement, ast.Pass):
        return None, live
    return statement, live | reads(statement)           # it is there for what it does


def _pruned_assignment(statement, live):
    target = getattr(statement, "target", None) or statement.targets[0]
    names = stores(target)
    if not names & live and not is_pop(statement.value):
        return None, live
    if not isinstance(target, ast.Subscript):           # other elements remain what they were
        live = live - names
    return statement, live | reads(statement)


def _pruned_loop(statement, live):
    """Loops go round: what an iteration reads is live at the end of the one before."""
    if isinstance(statement, ast.For):
        head, own = statement.iter, stores(statement.target)
    else:
        head, own = statement.test, set()
    body, _ = pruned(statement.body, live)
    if not body and not own & live:
        return None, live
    around = live | reads(head)
    body, before = pruned(statement.body, around)
    while not before - own <= around:
        around = around | (before - own)
        body, before = pruned(statement.body, around)
    return changed(statement, body=body or [ast.Pass()]), around


def exposed(block, done=frozenset()):
    """The names that a block may read before it assigns them, and those assigned after it."""
    found = set()
    for statement in block:
        if isinstance(statement, ast.If):
            found |= reads(statement.test) - done
            body, after = exposed(statement.body, done)
            orelse, after_orelse = exposed(statement.orelse, done)
            found |= body | orelse
            done = after & after_orelse
        elif isinstance(statement, (ast.For, ast.While)):
            own = stores(statement.target) if isinstance(statement, ast.For) else set()
            found |= reads(statement.iter if own else statement.test) - done
            found |= exposed(statement.body, done | own)[0]
        else:
            found |= reads(statement) - done
            done = done | replaced([statement])
    return found, done


# ---- tidying up -------------------------------------------------------------------------------


def unchecked(block):
    """Statements without the checks for points without derivative, for a second run."""
    return [mapped(statement, unchecked) for statement in block if not is_check(statement)]


def folded(block, temporaries):
    """Put the value of a temporary back where it is read, if that is one place right behind.

    Parameters
    ----------
    block : list of ast.stmt
    temporaries : set of str
        Names that are read in this block only.
    """
    times = {}
    for statement in block:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                times[node.id] = times.get(node.id, 0) + 1
    return _folded(block, {name for name in temporaries if times.get(name) == 1})


def _folded(block, once):
    """`folded`, given the temporaries that are read once: their assignments wait to be used."""
    out, waiting = [], {}
    for statement in block:
        if isinstance(statement, (ast.Assign, ast.If)):
            part = "value" if isinstance(statement, ast.Assign) else "test"
            here = reads(getattr(statement, part)) & set(waiting)
            values = {name: waiting.pop(name) for name in here}
            if values:
                new = substituted(getattr(statement, part),
                                  {name: assignment.value for name, assignment in values.items()})
                statement = changed(statement, **{part: new})
        statement = mapped(statement, lambda inner: _folded(inner, once))
        if isinstance(statement, ast.Assign) and stores(statement) <= once:
            waiting[statement.targets[0].id] = statement
            continue
        out += waiting.values()
        waiting = {}
        out.append(statement)
    return out + list(waiting.values())


def folded_loops(block, temporaries):
    """Fold the bodies of loops that stand in a forward sweep, where nothing is recorded."""
    def inner(block):
        return folded_loops(block, temporaries)

    return [changed(statement, body=folded(statement.body, temporaries))
            if getattr(statement, "plain", False) else mapped(statement, inner)
            for statement in block]


def without_idle_copies(block):
    """Drop x = old behind old = x, if neither has changed in between."""
    out = [mapped(statement, without_idle_copies) for statement in block]
    for first, save in enumerate(out):
        if _is_copy(save):
            old, x = save.targets[0].id, save.value.id
            for last in range(first + 1, len(out)):
                restore = out[last]
                if _is_copy(restore) and restore.targets[0].id == x and restore.value.id == old:
                    out[last] = ast.Pass()
                elif {x, old} & stores(restore):
                    break
    return [statement for statement in out if not isinstance(statement, ast.Pass)]


def _is_copy(statement):
    return (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
            and isinstance(statement.value, ast.Name))


def without_copy(block, name, value):
    """Statements with a value in the place of the name that it was copied to."""
    out = []
    for statement in block:
        if isinstance(statement, ast.Assign) and name in stores(statement):
            continue
        if isinstance(statement, ast.Return):
            statement = ast.Return(substituted(statement.value, {name: value}))
        out.append(statement)
    return out

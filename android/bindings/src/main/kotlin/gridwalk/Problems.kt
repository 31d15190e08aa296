package gridwalk

import gridwalk.ffi.FieldProblem
import gridwalk.ffi.GridwalkException
import gridwalk.ffi.Problem
import gridwalk.ffi.problemOf
import java.util.Locale

/** What went wrong, in words for programs and for people in both languages. */
val GridwalkException.problem: Problem
    get() = problemOf(this)

/** Field by field what is at fault, so that a form can show it there; empty for other exceptions. */
val GridwalkException.fieldProblems: List<FieldProblem>
    get() = (this as? GridwalkException.InvalidInput)?.fields.orEmpty()

/** The sentence for the worker: in Chinese where `locale` is Chinese, else in English. */
fun Problem.text(locale: Locale = Locale.getDefault()): String = if (locale.isChinese) zh else en

/** What is wrong with the field: in Chinese where `locale` is Chinese, else in English. */
fun FieldProblem.text(locale: Locale = Locale.getDefault()): String = if (locale.isChinese) zh else en

private val Locale.isChinese: Boolean
    get() = language == Locale.CHINESE.language

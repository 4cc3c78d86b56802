/** The components by the names of their types. */

import type { ComponentType } from 'react'

import { Badge } from './Badge'
import { Basic } from './Basic'
import { Box } from './Box'
import { Button } from './Button'
import { Caption } from './Caption'
import { Card } from './Card'
import { Chart } from './Chart'
import { Checkbox } from './Checkbox'
import { Col } from './Col'
import type { ComponentProps } from './Component'
import { DatePicker } from './DatePicker'
import { Divider } from './Divider'
import { Form } from './Form'
import { Icon } from './Icon'
import { Image } from './Image'
import { Input } from './Input'
import { Label } from './Label'
import { ListView } from './ListView'
import { ListViewItem } from './ListViewItem'
import { Markdown } from './MarkdownBlock'
import { RadioGroup } from './RadioGroup'
import { Row } from './Row'
import { Select } from './Select'
import { Spacer } from './Spacer'
import { Table, TableRow } from './Table'
import { TableCell } from './TableCell'
import { Text } from './Text'
import { Textarea } from './Textarea'
import { Title } from './Title'
import { Transition } from './Transition'

export const components: Readonly<Record<string, ComponentType<ComponentProps>>> = {
  Badge,
  Basic,
  Box,
  Button,
  Caption,
  Card,
  Chart,
  Checkbox,
  Col,
  DatePicker,
  Divider,
  Form,
  Icon,
  Image,
  Input,
  Label,
  ListView,
  ListViewItem,
  Markdown,
  RadioGroup,
  Row,
  Select,
  Spacer,
  Table,
  'Table.Cell': TableCell,
  'Table.Row': TableRow,
  Text,
  Textarea,
  Title,
  Transition,
}
